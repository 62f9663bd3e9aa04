"""The axis that scores, or the outputs of a regression, are shown on: where it ends, and how its values read."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import UserError

__all__ = ["SCORE_AXIS", "ValueAxis", "decimals_for", "fine_number", "number"]

# Beyond these places a value is written with a power of ten.
MOST_DECIMALS, MOST_DIGITS = 6, 7
# Values that differ by a lesser share of themselves are the same.
ROUNDING = 1e-9
# What is nearer to 0 is 0, but for the rounding of computers.
NOTHING = 1e-10


@dataclass(frozen=True)
class ValueAxis:
    """From `minimum` to `maximum`, in `unit`; what lies outside is shown at the end.

    `bars`: whether a value is told by the length of a bar, and not by the strength of a colour.

    Raises:
        UserError: an end is not finite, or the maximum is not above the minimum.

    >>> ValueAxis(0, 1).text(0.5312), ValueAxis(-20, 20, "mm").text(-7.31)
    ('0.53', '−7.3 mm')
    """

    minimum: float
    maximum: float
    unit: str = ""
    bars: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum < self.maximum):
            raise UserError(
                f"an axis from {self.minimum!r} to {self.maximum!r}; expected finite numbers, the lesser first"
            )

    @classmethod
    def around(cls, values: ArrayLike, unit: str = "", bars: bool = False) -> ValueAxis:
        """The axis that holds all `values` between round numbers; what is not finite does not count.

        >>> ValueAxis.around([-0.3, 7.3], "dots")
        ValueAxis(minimum=-2.0, maximum=8.0, unit='dots', bars=False)
        """
        numbers = np.asarray(values, dtype=np.float64)
        numbers = numbers[np.isfinite(numbers)]
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
        if high - low <= ROUNDING * max(abs(low), abs(high)):
            # Where nothing changes, the line runs through the middle.
            margin = abs(low) / 2 or 0.5
            low, high = low - margin, high + margin
        step = _round_step((high - low) / 4)
        return cls(math.floor(low / step + ROUNDING) * step, math.ceil(high / step - ROUNDING) * step, unit, bars)

    @property
    def decimals(self) -> int | None:
        """Decimal places that tell values apart on this axis; None where a power of ten is needed."""
        decimals = decimals_for(self.maximum - self.minimum)
        digits = math.log10(max(abs(self.minimum), abs(self.maximum), 1))
        return decimals if decimals <= MOST_DECIMALS and digits < MOST_DIGITS else None

    def text(self, value: float) -> str:
        """A value as a person reads it, with its unit."""
        return number(value, self.decimals) + (f" {self.unit}" if self.unit else "")

    def shares(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie between the two ends, in [0, 1]; what is not a number at the lower one."""
        shares = (np.asarray(values, dtype=np.float64) - self.minimum) / (self.maximum - self.minimum)
        return np.nan_to_num(np.clip(shares, 0, 1))

    def payload(self) -> dict[str, Any]:
        """What the browser needs to write and place values as it is done here."""
        return asdict(self) | {"decimals": self.decimals}


def decimals_for(span: float) -> int:
    """Decimal places for values that differ by up to `span`: about a hundredth of it is told apart.

    >>> [decimals_for(span) for span in (0.1, 1, 10, 400)]
    [3, 2, 1, 0]
    """
    # From half a power of ten on, the next place tells little: 7.3 of 10 reads better than 7.31.
    return max(0, 2 - math.floor(math.log10(span) + 0.3))


def number(value: float, decimals: int | None) -> str:
    """A number with a true minus sign; without decimal places given, by a power of ten.

    >>> number(-0.001, 2), number(-1.5, 1), number(1234567890, None), number(float("nan"), 2)
    ('0.00', '−1.5', '1.23e9', '–')
    """
    if not math.isfinite(value):
        return "–"
    if decimals is None:
        mantissa, power = f"{abs(value):.2e}".split("e")
        text = f"{mantissa}e{int(power)}"
    else:
        text = f"{abs(value):.{decimals}f}"
    return f"−{text}" if value < 0 and float(text) != 0 else text


def fine_number(value: float, decimals: int) -> str:
    """A number as `number` has it, but with two digits where it would read as 0 and is not.

    >>> fine_number(0.00312, 2), fine_number(0.0, 2), fine_number(4e-9, 4), fine_number(0.5, 2)
    ('0.0031', '0.00', '4.00e-9', '0.50')
    """
    size = abs(value)
    if not NOTHING < size < math.inf or float(f"{size:.{decimals}f}") != 0:
        return number(value, decimals)
    needed = 1 - math.floor(math.log10(size))
    return number(value, needed if needed <= MOST_DECIMALS else None)


def _round_step(length: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below `length`."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= length * (1 - ROUNDING))


SCORE_AXIS = ValueAxis(0, 1)

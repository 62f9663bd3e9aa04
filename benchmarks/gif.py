"""One palette for the whole animation beside imageio's defaults: time, size, and how true the colours stay.

python -m benchmarks.gif
"""

from __future__ import annotations

import io

import imageio.v3 as imageio
import numpy as np
from PIL import Image

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.render.animate import write_gif
from benchmarks.timing import keep, machine, medians, table


def signal_to_noise(content: bytes, pictures: np.ndarray) -> float:
    with Image.open(io.BytesIO(content)) as image:
        frames = []
        for index in range(len(pictures)):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB"), dtype=np.float32))
    return float(10 * np.log10(255**2 / np.mean((np.stack(frames) - pictures) ** 2)))


def main() -> None:
    print(machine())
    rows = [("photograph", "imageio s", "ours s", "times faster", "imageio dB", "ours dB", "imageio MB", "ours MB")]
    figures = {}
    for name in EXAMPLES:
        trace = ai.analyze(example(name), ai.Sweep(rotation=(-45, 45), frames=48))
        pictures = trace.pictures(caption=False)

        def ours(pictures: np.ndarray = pictures) -> bytes:
            file = io.BytesIO()
            write_gif(file, pictures, loop="forward")
            return file.getvalue()

        def theirs(pictures: np.ndarray = pictures) -> bytes:
            return imageio.imwrite("<bytes>", pictures, extension=".gif")

        seconds = medians({"imageio": theirs, "ours": ours}, rounds=3)
        content = {"imageio": theirs(), "ours": ours()}
        noise = {each: signal_to_noise(content[each], pictures) for each in content}
        ratio = seconds["imageio"] / seconds["ours"]
        rows.append(
            (
                name,
                *(f"{seconds[each]:.2f}" for each in content),
                f"{ratio:.1f}×",
                *(f"{noise[each]:.1f}" for each in content),
                *(f"{len(content[each]) / 1e6:.1f}" for each in content),
            )
        )
        figures[name] = {
            "times faster": round(ratio, 1),
            "dB above imageio": round(noise["ours"] - noise["imageio"], 2),
        }
    table(rows)
    keep("gif", figures)


if __name__ == "__main__":
    main()

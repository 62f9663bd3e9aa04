"""Two small real tasks, learnt in seconds: counting dots on a picture, telling waveforms apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DOTS_SIDE = 64
MOST_DOTS = 20
SAMPLES = 256


def dots(counts: list[int], generator: torch.Generator) -> Tensor:
    """Pictures `(N, 3, 64, 64)` of so many white dots of radius 3 on black, none touching another."""
    images = torch.zeros(len(counts), 3, DOTS_SIDE, DOTS_SIDE)
    y, x = torch.meshgrid(torch.arange(DOTS_SIDE), torch.arange(DOTS_SIDE), indexing="ij")
    for image, count in zip(images, counts, strict=True):
        for place in torch.randperm(36, generator=generator)[:count].tolist():
            across, down = (5 + 10.5 * k + float(torch.rand(1, generator=generator)) * 2 - 1 for k in divmod(place, 6))
            image[:, (x - across) ** 2 + (y - down) ** 2 < 9] = 1
    return images


def dot_counter() -> nn.Module:
    """A network that maps pictures in [0, 1] to their number of dots, `(N, 1)`."""
    generator = torch.Generator().manual_seed(0)
    counts = torch.randint(0, MOST_DOTS + 1, (512,), generator=generator)
    pictures = dots(counts.tolist(), generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        last = nn.Linear(16, 1)
        network = nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last,
        )  # fmt: skip
    learn(network, pictures, counts[:, None] / MOST_DOTS, nn.functional.mse_loss, epochs=25, generator=generator)
    with torch.no_grad():
        last.weight *= MOST_DOTS
        last.bias *= MOST_DOTS
    return network.eval()


def waves(kinds: list[int], generator: torch.Generator) -> Tensor:
    """Signals `(N, 1, 256)`: a sine (0) or a square wave (1) of two to six periods, any phase, a little noise."""
    time = torch.arange(SAMPLES) / SAMPLES
    kind = torch.tensor(kinds)[:, None]
    periods, phase, gain = torch.rand(3, len(kinds), 1, generator=generator)
    sines = torch.sin(2 * torch.pi * ((2 + 4 * periods) * time + phase))
    clean = torch.where(kind == 1, torch.sign(sines), sines) * (0.5 + gain)
    return (clean + 0.05 * torch.randn(clean.shape, generator=generator))[:, None]


def wave_network() -> nn.Module:
    """A 1-D convolutional network that tells sine (0) from square (1)."""
    generator = torch.Generator().manual_seed(0)
    kinds = torch.randint(0, 2, (512,), generator=generator)
    signals = waves(kinds.tolist(), generator)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv1d(1, 8, 9, stride=2, padding=4), nn.ReLU(), nn.Conv1d(8, 16, 9, stride=2, padding=4), nn.ReLU(),
            nn.Conv1d(16, 16, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 2),
        )  # fmt: skip
    learn(network, signals, kinds, nn.functional.cross_entropy, epochs=15, generator=generator)
    return network.eval()


def learn(network: nn.Module, inputs: Tensor, wanted: Tensor, loss, *, epochs: int, generator: torch.Generator) -> None:
    """Adam over shuffled batches of 32."""
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs), generator=generator).split(32):
            optimiser.zero_grad()
            loss(network(inputs[batch]), wanted[batch]).backward()
            optimiser.step()

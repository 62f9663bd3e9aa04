"""How often the built-in classifier is right on Imagenette's photographs, seen as this program shows them to it.

    python -m benchmarks.accuracy FOLDER

FOLDER holds one folder for each class, named by its WordNet id, as Imagenette's `val` does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import augimpact as ai
from augimpact.data.image import read_image
from benchmarks.timing import keep

# ImageNet's indices of the ten classes, by WordNet id.
CLASSES = {
    "n01440764": 0, "n02102040": 217, "n02979186": 482, "n03000684": 491, "n03028079": 497,
    "n03394916": 566, "n03417042": 569, "n03425413": 571, "n03445777": 574, "n03888257": 701,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    classifier = ai.load_classifier()
    indices = list(CLASSES.values())
    right = []
    for file in sorted(folder.rglob("*.JPEG")):
        pixels = (classifier.canvas(read_image(file))[None] * 255).round().to(torch.uint8)
        with torch.no_grad():
            logits = classifier.module(classifier.prepare(pixels))[0]
        right.append(indices[int(logits[indices].argmax())] == CLASSES[file.parent.name])
    share = sum(right) / len(right)
    print(f"{classifier.name}: {sum(right)} of {len(right)} right, top-1 {share:.1%} among Imagenette's ten classes")
    keep("accuracy", {"photographs": len(right), "top-1": round(share, 4)})


if __name__ == "__main__":
    main()

"""What looks like a dataset, and is one of something else, is refused with what to pass in its place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.profiling.extract import profile as profile_with_a_bar


def quiet(_done, _total):
    """No bar."""


def profile(*arguments, **options):
    return profile_with_a_bar(*arguments, progress=quiet, **options)


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 20, 3), np.uint8)
LABELS = np.arange(6) % 2


@pytest.mark.parametrize(
    ("pair", "count"),
    [
        ((IMAGES, LABELS), 6), ([IMAGES, LABELS], 6), ((IMAGES, np.eye(2)[LABELS]), 6),
        ((torch.from_numpy(IMAGES).permute(0, 3, 1, 2), torch.from_numpy(LABELS)), 6),
        ((IMAGES, np.zeros((6, 16, 20), np.uint8)), 6), ((IMAGES, pd.Series(LABELS)), 6),
        ((IMAGES, LABELS.tolist()), 6), ((IMAGES[:2], ("cat", "dog")), 2), ((IMAGES[..., 0], LABELS), 6),
    ],
    ids=lambda given: "",
)  # fmt: skip
def test_all_images_beside_all_labels_are_refused_and_their_pairs_are_not(pair, count):
    with pytest.raises(
        DataError, match=f"of an array of {count} images and of their labels is no dataset; .*zip"
    ) as said:
        profile(pair)
    assert "\n" not in str(said.value)
    with pytest.raises(DataError, match="is no dataset"):
        profile([*zip(IMAGES, LABELS, strict=True)], pair)


PICTURES = [*map(Image.fromarray, IMAGES)]


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.tolist(), [*LABELS], LABELS, torch.from_numpy(LABELS), np.eye(2)[LABELS], [*np.eye(2)[LABELS]],
        [0.5] * 6, [*"abcabc"], ("cat",) * 6, [{"boxes": np.zeros((1, 4))}] * 6, [[]] * 6, pd.Series(LABELS),
    ],
    ids=lambda given: "",
)  # fmt: skip
@pytest.mark.parametrize("images", [[*IMAGES], tuple(IMAGES), [*IMAGES[..., 0]], [*torch.from_numpy(IMAGES)], PICTURES])
def test_a_list_of_all_images_beside_all_labels_is_refused(images, labels):
    for pair in ((images, labels), [images, labels]):
        with pytest.raises(DataError, match=r"of a list of 6 images and of their labels is no dataset; .*zip") as said:
            profile(pair)
        assert "\n" not in str(said.value)


def test_what_the_sentence_says_works():
    found = profile(list(zip(IMAGES, LABELS)))  # noqa: B905 - as the sentence has it
    assert found["classes"].statistics["counts"]["train"] == {"class 0": 3, "class 1": 3}


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ((IMAGES[0], IMAGES[1]), 2), ([IMAGES[0], IMAGES[1]], 2), ((IMAGES, IMAGES), 12), ([IMAGES, IMAGES[:4]], 10),
        ([(IMAGES, LABELS), (IMAGES, LABELS)], 12), ([(IMAGES[0], 0), (IMAGES[1], 1)], 2), ((IMAGES, IMAGES[0]), 7),
        ((Image.fromarray(IMAGES[0]), Image.fromarray(IMAGES[1])), 2), ([(IMAGES, LABELS)], 6),
        ([PICTURES, PICTURES], 12), (([*IMAGES], [*IMAGES[:3]]), 9), ([[PICTURES, [*LABELS]]] * 2, 12),
        ([[PICTURES[0], 0], [PICTURES[1], 1]], 2), ([[PICTURES[0], 0]] * 6, 6),
    ],
    ids=lambda given: "",
)  # fmt: skip
def test_two_images_batches_or_samples_are_a_dataset(data, count):
    found = profile(data)
    assert found["summary"].statistics["train"]["images"] == count
    assert found["errors"].statistics["train"]["count"] == 0


def test_a_data_frame_is_refused_and_what_the_sentence_says_works(tmp_path):
    paths = [str(tmp_path / f"{number}.png") for number in range(6)]
    for path, image in zip(paths, IMAGES, strict=True):
        Image.fromarray(image).save(path)
    frame = pd.DataFrame({"path": paths, "label": LABELS})
    for given in ((frame,), (tmp_path, frame)):
        with pytest.raises(DataError, match=r"DataFrame is no dataset; expected .*SampleTable\.from_list") as said:
            profile(*given)
        assert "\n" not in str(said.value)
    assert profile(SampleTable.from_list(frame["path"]))["summary"].statistics["train"]["images"] == 6

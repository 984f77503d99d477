"""The package gives, to the bit, what the golden list of the C++ tests holds: features, logits, scores and masks."""
import hashlib

import numpy as np
import pytest
from conftest import MICRO, ROOT, blocks

import intsam


def golden(name):
    lines = (ROOT / "tests/golden/data/golden.txt").read_text().splitlines()
    found = {}
    for line in lines:
        model, size, prompt, output, digest = line.split()
        if (model, size) == ("micro", name):
            found[prompt, output] = digest
    return found


def sha256(arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def hashes(result, info):
    masks = range(info.num_masks)
    codes = [np.rint(result.low_res(i) / info.low_res_scale).astype("<i2") for i in masks]
    scores = [np.rint(result.scores[i : i + 1].astype(float) * 32768).astype("<i4") for i in masks]
    return {"low_res": sha256(codes), "iou": sha256(scores), "mask": sha256([result.mask(i) for i in masks])}


@pytest.mark.parametrize(("width", "height", "seed"), [(200, 150, 1), (100, 61, 2), (61, 100, 3)])
def test_golden(width, height, seed):
    expected = golden(f"{width}x{height}")
    assert len(expected) == 13
    image = blocks(width, height, seed)
    with intsam.Model(MICRO) as model, intsam.Session(model, threads=2) as session:
        info = model.info
        session.set_image(image)
        features = np.rint(session.embedding() / info.embedding_scale).astype("<i2").transpose(1, 2, 0)
        assert sha256([features]) == expected["-", "embedding"]

        def check(name, **prompt):
            result = session.predict(**prompt)
            for output, digest in hashes(result, info).items():
                assert digest == expected[name, output], (name, output)
            return result

        refined = check("point", points=[[width * 32 / 64, height * 32 / 64]]).low_res(1)
        box = np.array([width * 64 // 5, height * 64 // 5, width * 64 * 4 // 5, height * 64 * 4 // 5]) / 64
        check("box", box=box)
        two = np.array([[width * 20, height * 40], [width * 50, height * 10]]) / 64
        check("points+box+mask", points=two, labels=[1, 0], box=box, mask_input=refined)

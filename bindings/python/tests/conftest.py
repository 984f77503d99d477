"""What the tests share. INTSAM_TEST_MODEL names another model than the committed one of a few kilobytes; the tests need
the sources of the repository around them, but the package that is installed."""
import os
import pathlib

import numpy as np
import pytest

import intsam

ROOT = pathlib.Path(__file__).resolve().parents[3]
MICRO = ROOT / "tests/golden/data/micro.isam"


def blocks(width, height, seed=1):
    """The images of tests/golden: blocks of colour with noise, uint8 [height, width, 3]."""
    state = seed

    def draw():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return state >> 33

    colours = [draw() % 200 for _ in range(8 * 8 * 3)]
    image = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            block = (y * 8 // height * 8 + x * 8 // width) * 3
            for channel in range(3):
                image[y, x, channel] = colours[block + channel] + draw() % 56
    return image


@pytest.fixture(scope="session")
def model():
    with intsam.Model(os.environ.get("INTSAM_TEST_MODEL", MICRO)) as opened:
        yield opened


@pytest.fixture(scope="session")
def image():
    return blocks(120, 80)


@pytest.fixture
def session(model, image):
    """With the image set."""
    with intsam.Session(model, threads=1) as opened:
        opened.set_image(image)
        yield opened


@pytest.fixture
def sam(model):
    return intsam.Sam(model, threads=1)

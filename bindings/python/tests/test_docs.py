"""The examples of docs/python.md and of the README run."""
import re

import numpy as np
import pytest
from conftest import MICRO, ROOT

import intsam


def examples(document):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("document", "count"), [("docs/python.md", 3), ("README.md", 1), ("bindings/python/README.md", 1)])
def test_examples(document, count, session, image):
    pytest.importorskip("PIL")
    found = examples(document)
    assert len(found) == count
    names = {"intsam": intsam, "session": session, "image": image}
    names |= {"point_coords": np.array([[60, 40]]), "point_labels": np.array([1])}
    photo = ROOT / "models/photos/rocket.jpg"
    for text in found:
        code = text.replace("vit_b.isam", str(MICRO)).replace("photo.jpg", str(photo))
        exec(compile(code, document, "exec"), {**names})

"""examples/intsam.ipynb runs from top to bottom, shows pictures, and is committed with small ones."""
import json
import os

import pytest
from conftest import MICRO, ROOT

NOTEBOOK = ROOT / "bindings/python/examples/intsam.ipynb"


def outputs(cells):
    return [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]


def test_what_is_committed():
    assert NOTEBOOK.stat().st_size < 200_000
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    shown = outputs(cells)
    assert len([output for output in shown if "image/png" in output.get("data", {})]) == 3
    assert all(cell["outputs"] for cell in cells if cell["cell_type"] == "code")
    assert [output for output in shown if output["output_type"] == "error"] == []


def test_it_runs(monkeypatch):
    pytest.importorskip("PIL")
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    monkeypatch.setenv("INTSAM_MODEL", os.environ.get("INTSAM_TEST_MODEL", str(MICRO)))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    text = "".join(output.get("text", "") for output in outputs(notebook.cells))
    assert "the same mask as above: True" in text

"""cffi understands the public header as it is, and all of it."""
import importlib.util
import re

import pytest
from conftest import ROOT

from intsam._intsam import lib

pytest.importorskip("cffi.api")


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "bindings/python/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def header():
    return (ROOT / "runtime/include/intsam/intsam.h").read_text(encoding="utf-8")


def test_every_function_of_the_header_is_there(generate, header):
    generate.builder(header)  # raises for what cffi cannot parse
    functions = set(re.findall(r"^(?:INTSAM_API|static inline)\b[^;{]*?\b(intsam_\w+)\(", header, re.MULTILINE))
    assert {"intsam_model_open", "intsam_session_options_init", "intsam_mask_outlines"} <= functions
    assert [name for name in sorted(functions) if not hasattr(lib, name)] == []


def test_a_changed_header_changes_the_declarations(generate, header):
    changed = header.replace("intsam_session_num_results(const intsam_session* session)",
                             "intsam_session_num_results(const intsam_session* session, int32_t more)")
    assert changed != header
    assert "int32_t more" in generate.declarations(changed)
    assert "#" not in re.sub(r"#define INTSAM_VERSION_\w+ \.\.\.", "", generate.declarations(header))

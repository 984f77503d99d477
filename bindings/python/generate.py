"""Writes the C source of the extension module from the public C header:  generate.py intsam.h _intsam.c

cffi takes C declarations without a preprocessor. What it is given is the header itself, so that there is no second copy
of an interface to go out of date; the C compiler checks it once more against the real header.
"""
import pathlib
import re
import sys

import cffi

# Functions of Python that C calls. An exception inside cancels the call, as their non-zero result does.
CALLBACKS = """
extern "Python" int32_t intsam_python_progress(void* user, int32_t step, int32_t steps, const char* name);
extern "Python" int32_t intsam_python_found(void* user, const intsam_found_mask* found, int32_t index, int32_t count);
"""


def declarations(header):
    """The declarations of the header's text as cffi takes them: no comments, no directives, inline functions without
    their bodies (they are called as any other function), and the numeric macros."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header, flags=re.DOTALL)
    macros = re.findall(r"^#define (INTSAM_VERSION_\w+) \d+$", text, re.MULTILINE)
    # What only C++ sees: the braces around everything.
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"\bINTSAM_API\b", "", text)
    text = re.sub(r"\bstatic inline\b([^{;]*)\{.*?^\}", r"\1;", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(f"#define {name} ...\n" for name in macros) + text


def builder(header):
    """The cffi builder of the module for the header's text."""
    ffi = cffi.FFI()
    ffi.cdef(declarations(header) + CALLBACKS)
    ffi.set_source("intsam._intsam", "#include <intsam/intsam.h>")
    return ffi


if __name__ == "__main__":
    builder(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")).emit_c_code(sys.argv[2])

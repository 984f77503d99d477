"""What a build is made of, as a CycloneDX bill of materials (JSON, version 1.6) on standard output: the packages whose
headers were compiled in and those whose shared libraries the programs load, as the build itself says.

release/sbom.py BUILD    a folder that was built on Debian or Ubuntu; needs cyclonedx-python-lib[json-validation]
"""

import argparse
import pathlib
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

SOURCE = pathlib.Path(__file__).resolve().parents[1]
COMPILED_IN, LOADED = "compiled in", "loaded at run time"


def output_of(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def headers_of(build):
    """Files outside of the repository that compilers have read."""
    paths = set(re.findall(r"^    (\S+)$", output_of("ninja", "-t", "deps", cwd=build), re.MULTILINE))
    resolved = {(build / path).resolve() for path in paths}
    return {path for path in resolved if not path.is_relative_to(SOURCE) or "_deps" in path.parts}


def libraries_of(build):
    """Shared libraries that programs and libraries of the build load, those of each other aside."""
    loaded = set()
    for path in (*build.glob("bin/*"), *build.glob("lib/*.so*")):
        with path.open("rb") as file:
            if path.is_symlink() or file.read(4) != b"\x7fELF":
                continue
        found = re.findall(r"(?:=> |\t)(/\S+) \(0x", output_of("ldd", path))
        loaded |= {pathlib.Path(name).resolve() for name in found}
    return {path for path in loaded if not path.is_relative_to(build)}


def packages_of(paths):
    """Names of Debian's packages, as dpkg knows them."""
    # Where /lib is a link to /usr/lib, packages may know a file by either name.
    names = [name for path in sorted(paths) for name in (str(path), str(path).removeprefix("/usr"))]
    done = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False)
    owners = {}
    for line in done.stdout.splitlines():
        package_names, _, name = line.rpartition(": ")
        owners[name.removeprefix("/usr")] = package_names.split(",")[0]
    for path in paths:
        if str(path).removeprefix("/usr") not in owners:
            sys.exit(f"{path}: belongs to no package")
    return set(owners.values())


def system():
    """("debian", "12")"""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE))
    return fields["ID"], fields["VERSION_ID"]


def licenses_of(name):
    """What the package's copyright file says of most of its files, where it can be read by machines."""
    file = pathlib.Path("/usr/share/doc") / name.split(":")[0] / "copyright"
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    found = re.search(r"^Files:[ \t]*\*[ \t]*\n(?:[^\n]+\n)*?License:[ \t]*(\S[^\n]*)$", text, re.MULTILINE)
    return [DisjunctiveLicense(name=found[1])] if text.startswith("Format:") and found else []


def package(name, how):
    version, architecture = output_of("dpkg-query", "-W", "-f", "${Version} ${Architecture}", name).split()
    short, (distribution, release) = name.split(":")[0], system()
    url = PackageURL("deb", distribution, short, version, {"arch": architecture, "distro": f"{distribution}-{release}"})
    return Component(
        type=ComponentType.LIBRARY,
        name=short,
        version=version,
        purl=url,
        bom_ref=url.to_string(),
        licenses=licenses_of(name),
        properties=[Property(name="intsam:use", value=way) for way in sorted(how)],
    )


def fetched(folder):
    """A pinned release that CMake downloaded, from what the build description says of it."""
    text = (SOURCE / "cmake/IntsamDependencies.cmake").read_text()
    found = re.search(rf"FetchContent_Declare\({folder}\s+URL (\S+)\s+URL_HASH SHA256=(\w+)", text, re.IGNORECASE)
    url, digest = found.groups()
    return Component(
        type=ComponentType.LIBRARY,
        name=folder,
        version=re.search(r"[0-9]+(\.[0-9]+)+|[0-9a-f]{40}", url)[0],
        bom_ref=f"fetched:{folder}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))],
        properties=[Property(name="intsam:use", value=COMPILED_IN)],
    )


def bill_of(build):
    headers = headers_of(build)
    downloads = {re.search(r"_deps/(\w+)-src/", str(path))[1] for path in headers if "_deps" in path.parts}
    uses = {}
    for how, paths in ((COMPILED_IN, {p for p in headers if "_deps" not in p.parts}), (LOADED, libraries_of(build))):
        for name in packages_of(paths):
            uses.setdefault(name, set()).add(how)
    header = (SOURCE / "runtime/include/intsam/intsam.h").read_text()
    version = ".".join(re.findall(r"^#define INTSAM_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, re.MULTILINE))
    commit, time = output_of("git", "log", "-1", "--format=%H %ct", cwd=SOURCE).split()
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"intsam:{commit}:{sorted(uses)}"))
    bom.metadata.timestamp = datetime.fromtimestamp(int(time), timezone.utc)  # the same commit gives the same file
    bom.metadata.component = Component(
        type=ComponentType.APPLICATION,
        name="intsam",
        version=version,
        bom_ref="intsam",
        licenses=[DisjunctiveLicense(id="Apache-2.0")],
        properties=[Property(name="intsam:commit", value=commit)],
    )
    parts = [package(name, how) for name, how in sorted(uses.items())] + [fetched(name) for name in sorted(downloads)]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(bom.metadata.component, parts)
    return bom


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    build = parser.parse_args().build.resolve()
    text = JsonV1Dot6(bill_of(build)).output_as_string(indent=2)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error:
        sys.exit(f"not valid by CycloneDX's schema: {error}")
    print(text)


if __name__ == "__main__":
    main()

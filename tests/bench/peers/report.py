"""The table of peers.py and the lines above it."""
import datetime
import importlib.metadata
import os
import pathlib
import platform

import systems

PACKAGES = ("torch", "segment-anything", "mobilesam-mirror", "onnxruntime", "openvino", "nncf")
FURTHER_PACKAGES = {"litert": ("ai-edge-litert", "litert-torch"), "executorch": ("executorch",)}  # by requirements
# Those that decide how fast products of 8 bits and of bf16 are.
CPU_FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimddp", "i8mm")


def cpu():
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    return fields.get("model name", platform.machine()), [flag for flag in CPU_FLAGS if flag in flags]


def machine(options, intsam_version):
    model, flags = cpu()
    packages = PACKAGES + sum((FURTHER_PACKAGES[name] for name in systems.further_requirements(options.systems)), ())
    return {
        "cpu": model,
        "flags": flags,
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.date.today().isoformat(),
        "intsam": intsam_version.strip(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "model": options.model,
        "weights": str(options.checkpoint.name) if options.checkpoint
                   else "bundled" if options.model == "tiny" else f"random, seed {options.seed}",
        "rounds": options.rounds,
        "isa": options.isa,
        "everything": options.everything,
    }


def threads_text(count):
    return f"{count} thread" + ("s" if count > 1 else "")


def seconds_text(seconds):
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def sample_text(sample):
    if "everything_s" in sample:
        times = f"everything {sample['everything_s']:.1f} s"
    else:
        times = f"encoder {sample['encoder_s']:.3f} s, decoder {sample['decoder_s'] * 1e3:.1f} ms"
    return f"{times}, {sample['peak_rss_mib']:.0f} MiB"


def prompt_columns(threads):
    """Titles, and what turns a row into their cells."""
    titles = [f"encoder, {threads_text(n)}" for n in threads]
    titles += ["peak RSS", "model size", f"decoder, {threads_text(threads[0])}", "cosine"]
    return titles, lambda row: [
        *(seconds_text(row["encoder_s"][n]) for n in threads), f"{row['peak_rss_mib']:.0f} MiB",
        f"{row['model_mib']:.1f} MiB", f"{row['decoder_s'][threads[0]] * 1e3:.1f} ms", f"{row['cosine']:.5f}"]


def everything_columns(threads):
    titles = [f"everything, {threads_text(n)}" for n in threads] + ["peak RSS", "masks"]
    return titles, lambda row: [
        *(seconds_text(row["everything_s"][n]) for n in threads), f"{row['peak_rss_mib']:.0f} MiB",
        "not made" if row["masks"] is None else str(row["masks"])]


def table(machine, rows, threads):
    titles, cells_of = (everything_columns if machine["everything"] else prompt_columns)(threads)
    held = f", held to {machine['isa']}" if machine["isa"] else ""
    lines = [
        f"SAM {machine['model']} ({machine['weights']}); {machine['cpu']} ({' '.join(machine['flags'])}), "
        f"{machine['cores']} cores, load {machine['load_before']} before; {machine['date']}; "
        f"median of {machine['rounds']}{held}",
        "",
        "; ".join(f"{name} {version}" for name, version in machine["versions"].items()) + f"; {machine['intsam']}",
        "",
        "| " + " | ".join(["system", *titles]) + " |",
        "|" + "---|" * (len(titles) + 1),
    ]
    for row in rows:
        label = row["system"]
        if "default" in label:
            label += f" ({row['precision']} here)"
        lines.append("| " + " | ".join([label, *cells_of(row)]) + " |")
    return "\n".join(lines)

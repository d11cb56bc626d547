# SPDX-License-Identifier: GPL-2.0
"""The guest's initramfs: busybox, what it takes to mount the root, and a script that does."""

import hashlib
import lzma
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

# In the order in which they are loaded; what the kernel has built in is not there.
MODULES = ["netfs", "9pnet", "9pnet_virtio", "9p", "overlay", "virtio-rng"]


def find_module(modules: Path, name: str) -> Path | None:
    found = sorted(modules.glob(f"**/{name}.ko*"))
    return found[0] if found else None


def initramfs(root: Path, kernel: Path, build: Path) -> Path:
    """Makes it, unless it is there for this kernel and this script."""
    init = HERE / "init"
    key = hashlib.sha256(str(kernel).encode() + init.read_bytes() + str(root).encode())
    result = build / f"initramfs-{key.hexdigest()[:12]}"
    if result.exists():
        return result
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        for name in ("bin", "dev", "proc", "sys", "modules", "mnt/lower", "mnt/upper", "mnt/root"):
            (top / name).mkdir(parents=True)
        shutil.copy(root / "usr/bin/busybox", top / "bin/busybox")
        shutil.copy(init, top / "init")
        (top / "init").chmod(0o755)
        for name in MODULES:
            if found := find_module(kernel / "lib/modules", name):
                data = found.read_bytes()
                if found.suffix == ".xz":
                    data = lzma.decompress(data)
                (top / "modules" / f"{name}.ko").write_bytes(data)
        with result.with_suffix(".new").open("wb") as out:
            subprocess.run(
                "find . | cpio --quiet -o -H newc", shell=True, cwd=top, stdout=out, check=True
            )
    result.with_suffix(".new").rename(result)
    return result

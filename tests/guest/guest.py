# SPDX-License-Identifier: GPL-2.0
"""A guest: which kernel and root, with what it may use of the host."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# With the first two features the kernel copies byte by byte, one emulated instruction each; with
# the last one every walk through its page tables takes a step more.
CPU = "max,-erms,-fsrm,-la57"

# The debug kernel hangs on the default machine, whose ACPI tables time out under KASAN.
KINDS = {"stock": ("pc", "2G"), "debug": ("q35", "4G")}


@dataclass
class Guest:
    """What a guest is made of. Directories are shared over 9p; only `job` can be written."""

    root: Path
    kernel: Path
    kind: str
    initramfs: Path
    repo: Path
    job: Path
    cpus: int = 2
    interactive: bool = False
    # The clock counts instructions, one a nanosecond, of one CPU.
    exact: bool = False
    # A plugin of QEMU's that counts what runs, and looks for orders in `job`.
    profiler: Path | None = None

    def command(self) -> list[str]:
        machine, memory = KINDS[self.kind]
        append = "console=ttyS0 panic=-1 oops=panic mitigations=off nokaslr quiet"
        # It samples from the start, and finds the kernel patching its own code.
        append += " damon_stat.enabled=0"
        if self.exact:
            engine = ["-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1"]
        else:
            engine = ["-accel", "tcg,thread=multi", "-smp", str(self.cpus)]
        command = [
            "qemu-system-x86_64", "-M", machine, *engine, "-cpu", CPU, "-m", memory,
            "-nodefaults", "-no-reboot", "-display", "none", "-serial", "mon:stdio",
            "-kernel", str(self.kernel / "vmlinuz"), "-initrd", str(self.initramfs),
            "-append", append, "-device", "virtio-rng-pci",
        ]  # fmt: skip
        shares = [
            ("root", self.root, ",readonly=on"),
            ("repo", self.repo, ",readonly=on"),
            ("modules", self.kernel / "lib" / "modules", ",readonly=on"),
            ("job", self.job, ""),
        ]
        for tag, path, options in shares:
            command += [
                "-fsdev",
                f"local,id={tag},path={path},security_model=none,multidevs=remap{options}",
                "-device",
                f"virtio-9p-pci,fsdev={tag},mount_tag={tag}",
            ]
        if self.profiler:
            command += ["-plugin", f"{self.profiler},trigger={self.job}/profile-trigger"]
        return command

    def run(self, console: Path, limit: int) -> bool:
        """Runs the guest until it powers off, and shows and keeps what it writes.

        Returns false if that takes more than `limit` seconds.
        """
        if self.interactive:
            console.write_text("")
            subprocess.run(self.command(), check=False)
            return True
        tee = subprocess.Popen(["tee", str(console)], stdin=subprocess.PIPE, stdout=sys.stdout)
        try:
            subprocess.run(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=tee.stdin,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        finally:
            assert tee.stdin
            tee.stdin.close()
            tee.wait()
        return True

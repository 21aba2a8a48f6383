# SPDX-License-Identifier: Apache-2.0
"""Containers are confined under pure cgroup v2, as Debian 12 has it, whatever layout this machine has.

usage: pure_cgroup2.py FOLDER [RUN…]

FOLDER has the built test programs; a RUN is one of PLAN or MORE, by default all of PLAN. A machine
emulated by QEMU boots the stock kernel of Debian with a disk made of this machine's files and runs them as root: every limit under crun and under runc, the
hostile suite under crun. tools/dev setup puts the kernel into the build folder.
"""

import ctypes
import json
import lzma
import os
import platform
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from container_image import static_busybox
from mesh import require, say, skip

HERE = Path(__file__).resolve().parent
GUEST = HERE / "pure_cgroup2"
KERNEL = HERE.parent / "build/kernel"
LIMIT_S = 1140  # for a hung machine; one processor to itself takes under 180 s
PR_SET_PDEATHSIG = 1
CONSOLE_SHOWN = 100_000  # characters

TESTS = ("hm_containers_linux_test", "hm_container_runtime_test")
BESIDE_THEM = ("hypermesh-attacker", "hypermesh-monitor", "container-owner")
PROGRAMS = ("crun", "runc", "nft", "mkfs.ext4", "e2fsck", "resize2fs")
EARLY = ("virtio_pci", "virtio_blk")
LATE = ("overlay", "loop", "veth", "nf_tables", "nft_ct", "nft_fib_inet", "nft_masq", "nft_nat", "nft_reject_inet",
        "nft_chain_nat")

# Name, test program, OCI runtime, filter.
PLAN = (
    ("machine", "hm_containers_linux_test", "-", "*:-*OfVersion2:RuntimeSchemaTest*"),
    ("crun", "hm_container_runtime_test", "/usr/bin/crun", "Hostile*:AdoptionTest*:RuntimeTest.*Processors*:"
     "RuntimeTest.*Memory*:RuntimeTest.*Tree*:RuntimeTest.*Usage*"),
    ("runc", "hm_container_runtime_test", "/usr/bin/runc", "HostileLimits*:HostileShare*:HostileDisk*"),
)
# By name only, as they take longer.
MORE = (
    ("crun_all", "hm_container_runtime_test", "/usr/bin/crun", "*"),
    ("runc_all", "hm_container_runtime_test", "/usr/bin/runc", "*"),
)

# ---- what the machine is made of ----

def find_kernel():
    """(kernel image, folder of its modules), the newest of the build folder."""
    for image in sorted(KERNEL.glob("boot/vmlinuz-*"), reverse=True):
        version = image.name.removeprefix("vmlinuz-")
        for modules in (KERNEL / "lib/modules" / version, KERNEL / "usr/lib/modules" / version):
            if modules.is_dir():
                return image, modules
    skip("missing: a kernel in build/kernel: tools/dev setup brings it")


class Modules:
    """Of a kernel, each after those that it needs."""

    def __init__(self, folder):
        self.paths = {}
        for path in folder.rglob("*.ko*"):
            self.paths[path.name.split(".")[0].replace("-", "_")] = path

    def content(self, name):
        data = self.paths[name].read_bytes()
        return lzma.decompress(data) if self.paths[name].suffix == ".xz" else data

    def closure(self, names, known=()):
        """{name: content}, in the order of loading, without those known; what is no module is in the kernel."""
        ordered = {}
        for name in names:
            if name not in self.paths or name in ordered or name in known:
                continue
            content = self.content(name)
            needs = re.search(rb"\0depends=([^\0]*)\0", content)
            below = needs.group(1).decode().replace("-", "_").split(",") if needs else []
            ordered.update(self.closure([one for one in below if one not in ordered], known))
            ordered[name] = content
        return ordered


def put(root, path, content, mode=0o755):
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(mode)


def put_modules(root, names, modules):
    for name, content in modules.items():
        put(root, f"modules/{name}.ko", content, 0o644)
    put(root, f"modules/{names}", "".join(f"{name}.ko\n" for name in modules).encode(), 0o644)


def put_program(root, source, path):
    """A program and the libraries that it needs, without what only a debugger reads."""
    put(root, path, b"")
    subprocess.run(["strip", "-o", root / path.lstrip("/"), source], check=True)
    needs = subprocess.run(["ldd", source], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) \(0x", needs):
        if not (root / library.lstrip("/")).exists():
            put(root, library, Path(library).read_bytes())


def put_busybox(root, busybox):
    put(root, "bin/busybox", Path(busybox).read_bytes())
    for applet in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        link = root / "bin" / applet
        if not link.exists():
            link.symlink_to("busybox")


def cpio(root):
    """A folder as an archive of the form that kernels unpack at boot ("newc")."""
    def entry(number, name, mode, content):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
        return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)

    archive = b""
    for number, path in enumerate(sorted(root.rglob("*"))):
        mode = path.lstat().st_mode
        content = b""
        if stat.S_ISLNK(mode):
            content = os.readlink(path).encode()
        elif stat.S_ISREG(mode):
            content = path.read_bytes()
        archive += entry(number, str(path.relative_to(root)).encode(), mode, content)
    return archive + entry(0, b"TRAILER!!!", 0, b"")


def make_folders(root, names):
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)


def make_machine(folder, built, busybox, modules, plan):
    """What is loaded into memory, the disk, and an empty one for swap."""
    early = modules.closure(EARLY)
    memory = folder / "memory"
    make_folders(memory, ("proc", "dev", "disk"))
    put_busybox(memory, busybox)
    put_modules(memory, "early", early)
    put(memory, "init", (GUEST / "start.sh").read_bytes())
    (folder / "initrd").write_bytes(cpio(memory))

    disk = folder / "disk"
    make_folders(disk, ("proc", "sys", "dev", "run", "root", "etc", "tmp"))
    (disk / "tmp").chmod(0o1777)
    put_busybox(disk, busybox)
    put(disk, "sbin/init", (GUEST / "init.sh").read_bytes())
    put_modules(disk, "late", modules.closure(LATE, known=early))
    for name in (*TESTS, *BESIDE_THEM):
        put_program(disk, built / name, f"tests/{name}")
    for name in PROGRAMS:
        put_program(disk, shutil.which(name), f"usr/bin/{name}")
    put(disk, "tests/plan", "".join(" ".join(run) + "\n" for run in plan).encode(), 0o644)
    for name in ("disk.img", "swap.img"):
        with (folder / name).open("wb") as file:
            file.truncate(1 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0", "-d", disk, folder / "disk.img"], check=True)


# ---- running it, and what it says ----

def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_machine(folder, kernel):
    """What came over the second line."""
    results = folder / "results"
    command = [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536", "-nodefaults",
        "-display", "none", "-no-reboot", "-kernel", kernel, "-initrd", folder / "initrd",
        # Where this machine has little time for it, the kernel is not to take that for broken timers.
        "-append", "console=ttyS0 quiet panic=-1 no_timer_check nowatchdog",
        *(word for disk in ("disk.img", "swap.img")
          for word in ("-drive", f"file={folder / disk},if=virtio,format=raw,cache=unsafe")),
        "-serial", f"file:{folder / 'console'}", "-serial", f"file:{results}",
    ]
    begun = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S,
                              preexec_fn=end_with_parent)
        require(done.returncode == 0, f"QEMU ends with 0, not {done.returncode}: {done.stderr}")
    except subprocess.TimeoutExpired:
        say(f"the machine was ended after {LIMIT_S} s")
    say(f"the machine ran for {time.monotonic() - begun:.1f} s")
    return results.read_bytes() if results.exists() else b""


def parse(sent):
    """{run: (report, exit code)}; complains about anything that is not as init.sh says."""
    runs = {}
    while sent != b"complete\n":
        begin = re.match(rb"begin (\w+) (\d+)\n", sent)
        require(begin, f"a run begins, or all is complete: {sent[:100]!r}")
        size = int(begin.group(2))
        report, sent = sent[begin.end():begin.end() + size], sent[begin.end() + size:]
        end = re.match(rb"end (\w+) (\d+)\n", sent)
        require(end and end.group(1) == begin.group(1), f"run {begin.group(1)} ends: {sent[:100]!r}")
        sent = sent[end.end():]
        name = begin.group(1).decode()
        require(name not in runs, f"run {name} is there once")
        code = int(end.group(2))
        require(report, f"run {name} leaves a report, and not only the exit code {code}")
        runs[name] = (json.loads(report), code)
    return runs


def expected_tests(program, pattern):
    """Full names of the tests that a filter admits, from the program itself."""
    listed = subprocess.run([program, "--gtest_list_tests", f"--gtest_filter={pattern}"], capture_output=True, text=True,
                            check=True).stdout
    suite, names = "", set()
    for line in listed.splitlines():
        if line.startswith("  "):
            names.add(suite + line.split("#")[0].strip())
        elif line.split("#")[0].strip().endswith("."):
            suite = line.split("#")[0].strip()
    return names


def judge(name, report, code, expected):
    """Problems: every expected test has to run, none may be skipped, all have to pass."""
    problems, ran, skipped, slowest = [], set(), [], []
    for suite in report["testsuites"]:
        for case in suite["testsuite"]:
            full = f"{suite['name']}.{case['name']}"
            ran.add(full)
            slowest.append((float(case["time"].rstrip("s")), full))
            for failure in case.get("failures", []):
                problems.append(f"{full}: {failure['failure']}")
            if case["result"] == "SKIPPED":
                skipped.append(full)
            elif case["result"] != "COMPLETED":
                problems.append(f"{full}: {case['result']}")
    problems += [f"{full}: did not run" for full in sorted(expected - ran)]
    problems += [f"{full}: skipped" for full in skipped]
    if code != 0 and not problems:
        problems.append(f"the program ended with {code}")
    say(f"{name}: {len(ran)} of {len(expected)} tests ran, {len(skipped)} skipped, {len(problems)} problems; slowest: "
        + ", ".join(f"{full} {seconds:.0f} s" for seconds, full in sorted(slowest, reverse=True)[:3]))
    return problems


def main(built, chosen):
    plan = [run for run in PLAN + MORE if run[0] in chosen] if chosen else PLAN
    if platform.machine() != "x86_64":
        skip(f"needs an x86_64 machine, this one is {platform.machine()}")
    missing = [name for name in ("qemu-system-x86_64", "strip", *PROGRAMS) if shutil.which(name) is None]
    if missing:
        skip(f"missing: {' '.join(missing)}")
    busybox = static_busybox()
    if busybox is None:
        skip("missing: a static busybox (package busybox-static)")
    kernel, modules = find_kernel()
    folder = Path(tempfile.mkdtemp(prefix="hypermesh-e2e-"))
    try:
        make_machine(folder, built, busybox, Modules(modules), plan)
        say(f"starting a machine with {kernel.name}")
        sent = run_machine(folder, kernel)
        console = (folder / "console").read_text(errors="replace")
        try:
            runs = parse(sent)
        except (AssertionError, ValueError):
            print(console[-CONSOLE_SHOWN:], file=sys.stderr)
            raise
        require(list(runs) == [name for name, *_ in plan], f"every run is there: {list(runs)}")
        problems = []
        for name, program, _, pattern in plan:
            problems += [f"{name}: {text}" for text in judge(name, *runs[name], expected_tests(built / program, pattern))]
        require(not problems, "\n".join(problems))
        say("passed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

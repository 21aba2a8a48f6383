# SPDX-License-Identifier: Apache-2.0
"""Tenants run containers on machines that they do not own: output, exit codes, input, files, ports;
inside the limits; only whom a grant names; and nothing stays when somebody dies."""

import fcntl
import hashlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import mesh
from container_image import static_busybox, write_layout
from mesh import Mesh, require, say, skip, wait_until

PROVIDER, TENANT, STRANGER, OTHER = 0, 1, 2, 3
IMAGE = "busybox:test"
LIMITS = ["--cpu", "0.05", "--memory", "24Mi", "--pids", "64"]


def owner(four, index):
    return four.nodes[index]["owner"]


def on(four, index=PROVIDER):
    return ["--on", f"node={four.nodes[index]['name']}"]


def start(four, index, *arguments, **kwargs):
    """A command in the background; its output is bytes."""
    return subprocess.Popen([mesh.BINARY, "--api", four.nodes[index]["api"], *map(str, arguments)],
                            env={**os.environ, "NO_COLOR": "1"}, stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)


def finish(process, stdin=None, timeout=mesh.PATIENCE_S):
    out, err = process.communicate(stdin, timeout=timeout)
    return process.returncode, out, err.decode(errors="replace")


def run(four, *arguments, index=TENANT, stdin=None, where=None):
    """`hypermesh run` with the test's limits; (exit code, standard output, standard error)."""
    process = start(four, index, "run", *LIMITS, *(on(four) if where is None else where), *arguments,
                    stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
    return finish(process, stdin)


def detached(four, *arguments, index=TENANT, where=None):
    """The id of a new detached run."""
    code, out, err = run(four, "-d", *arguments, index=index, where=where)
    require(code == 0, f"run -d: {code} {err}")
    return out.decode().strip()


def runs(four, index=TENANT):
    return {run["run"]: run for run in four.json(index, "ps", "--all")["runs"]}


def hosted(four, index=PROVIDER):
    """What goes on there; what has ended is kept for a while."""
    return {run["run"]: run for run in four.json(index, "ps", "--hosted")["runs"] if run["report"]["phase"] != "ended"}


def open_leases(four, index=STRANGER):
    return [lease["id"] for lease in four.http(index, "/api/v1/leases?open=true")[1]["leases"]]


def tag(four, index):
    """What the kernel's names of a node's containers have in them."""
    return four.nodes[index]["id"][:6]


def leftovers(four):
    """What the kernel has of this mesh's containers, by its names: {"groups", "mounts", "links", "monitors"}."""
    tags = [tag(four, i) for i in range(four.count)]
    found = {"groups": [], "mounts": [], "links": [], "monitors": []}
    for each in tags:
        for parent in Path("/sys/fs/cgroup").glob(f"**/hypermesh-{each}"):
            found["groups"] += [str(group) for group in parent.iterdir() if group.is_dir()]
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            point = line.split()[4]
            found["mounts"] += [point] if f"/{each}/" in point else []
        found["links"] += [link for link in os.listdir("/sys/class/net") if link.startswith(f"hm{each}-")]
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            found["monitors"] += [process.name] if "hypermesh-monitor" in words and f"/{each}/" in words else []
    return found


def nothing_left(four):
    return not any(leftovers(four).values())


def check_image(four):
    say("an image comes from an archive, has a name, and goes out again as it came in")
    archive = four.folder / "busybox.tar"
    write_layout(archive, IMAGE, {"srv/page": b"a page\n"})
    imported = four.json(TENANT, "image", "import", archive, "--name", IMAGE)["images"]
    require([image["reference"] for image in imported] == [IMAGE], f"{imported}")
    listed = four.json(TENANT, "image", "ls")["images"]
    require(imported[0]["manifest"] in json.dumps(listed), f"{listed}")
    four.cli(TENANT, "image", "export", IMAGE, four.folder / "out.tar")
    four.cli(TENANT, "image", "rm", IMAGE)
    require(not four.json(TENANT, "image", "ls")["images"], "it has no name any more")
    four.cli(TENANT, "image", "prune")
    again = four.json(TENANT, "image", "import", four.folder / "out.tar")["images"]
    require(again[0]["manifest"] == imported[0]["manifest"], "the same image")
    (four.folder / "layout").mkdir()
    shutil.unpack_archive(archive, four.folder / "layout")
    again = four.json(TENANT, "image", "import", four.folder / "layout")["images"]
    require(again[0]["manifest"] == imported[0]["manifest"], "a folder will do")
    done = four.cli(TENANT, "run", "--local", "nothing:1", check=False)
    require(done.returncode == 1 and "image import" in done.stderr, f"{done.stderr}")


def check_sharing(four):
    say("a machine that shares nothing runs nothing of others, and says why")
    code, _, err = run(four, IMAGE, "true")
    require(code == 5 and "--local" in err, f"{code} {err}")
    for kind in ("cpu", "memory", "storage"):
        four.cli(PROVIDER, "share", kind, "60%", "--with", owner(four, TENANT), "--with", owner(four, OTHER),
                 "--price", 0, "--network", "mesh")
    wait_until(lambda: len(four.json(TENANT, "grants", "--to-me")["grants"]) >= 3, "the tenant sees the grants")

    say("a stranger is told the first rule in the way, and nothing is left of the attempt")
    four.cli(STRANGER, "image", "import", four.folder / "busybox.tar", "--name", IMAGE)
    code, _, err = run(four, IMAGE, "true", index=STRANGER)
    require(code == 5 and "not_the_grantee" in err, f"{code} {err}")
    explained = four.cli(STRANGER, "run", *LIMITS, *on(four), "--explain", IMAGE, check=False)
    require(explained.returncode == 5 and "not_the_grantee" in explained.stdout, f"{explained}")
    require(not open_leases(four), "no lease")

    say("a plan changes nothing and says where, and for what")
    plan = json.loads(four.cli(TENANT, "run", "--json", *LIMITS, *on(four), "--plan", IMAGE).stdout)
    require(plan["node_name"] == four.nodes[PROVIDER]["name"], f"{plan}")
    require([lease["kind"] for lease in plan["leases"]] == ["cpu", "memory"], f"{plan}")
    require(plan["leases"][0]["quantity"] == 50, f"{plan}")
    require(not open_leases(four), "no lease")


def check_attached(four):
    say("what the container says and how it ends is what the command says and how it ends")
    code, out, err = run(four, "-e", "A=1", "--name", "first", IMAGE, "sh", "-c",
                         "echo out $A $MADE $(hostname); echo err >&2; exit 42")
    require((code, out) == (42, b"out 1 test first\n") and "err\n" in err, f"{code} {out} {err}")
    for wanted in (0, 1, 5, 125, 255):
        code, _, err = run(four, IMAGE, "sh", "-c", f"exit {wanted}")
        require(code == wanted, f"{code} is not {wanted}: {err}")
    code, _, err = run(four, IMAGE, "/no/such/program")
    require(code != 0 and err.count("\n") >= 3, f"{code} {err}")
    wait_until(lambda: not open_leases(four), "the leases of what has ended are closed")

    say("one run after the other finds the machine free, though it has room for one of them")
    most = int(0.6 * os.cpu_count() * 1000) - 100
    for _ in range(4):
        code, _, err = finish(start(four, TENANT, "run", "--cpu", f"{most}m", "--memory", "24Mi", *on(four), IMAGE,
                                    "true"))
        require(code == 0, f"{code} {err}")

    say("a pipe goes through, byte for byte")
    data = os.urandom(2_000_000)
    code, out, err = run(four, "-i", IMAGE, "cat", stdin=data)
    require(code == 0 and out == data, f"{code} {len(out)} {err}")
    code, out, _ = run(four, IMAGE, "cat", stdin=b"not passed on")
    require((code, out) == (0, b""), f"without -i there is no input: {code} {out}")

    say("signals are passed on, and a third SIGINT gives up")
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c",
                    "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.1; done")
    require(process.stdout.readline() == b"ready\n", "it runs")
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    require((code, out) == (7, b"caught\n"), f"{code} {out} {err}")
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c",
                    "trap '' INT; echo ready; while :; do sleep 0.1; done")
    require(process.stdout.readline() == b"ready\n", "it runs")
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    code, _, err = finish(process)
    require(code == 130, f"{code} {err}")
    wait_until(lambda: not hosted(four), "what nobody is attached to has ended")


def check_held_back(four):
    say("a reader that stops holds the container back, and one that goes ends it")
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "yes", "a line that is written again and again")
    require(process.stdout.read(1000).startswith(b"a line"), "it writes")
    time.sleep(1)
    status = Path(f"/proc/{process.pid}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    require(resident < 64 * 1024, f"nothing piles up: {resident} KiB")
    process.stdout.close()
    require(process.wait(timeout=mesh.PATIENCE_S) == 141, "as a program whose pipe is broken")
    wait_until(lambda: not hosted(four), "it has ended")

    say("input that nobody reads does not keep signals from the container")
    process = start(four, TENANT, "run", *LIMITS, *on(four), "-i", IMAGE, "sh", "-c",
                    "trap 'exit 8' TERM; echo ready; while :; do sleep 0.1; done", stdin=subprocess.PIPE)
    require(process.stdout.readline() == b"ready\n", "it runs")
    os.set_blocking(process.stdin.fileno(), False)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            process.stdin.write(b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.01)
    process.terminate()
    require(process.wait(timeout=mesh.PATIENCE_S) == 8, "it heard")

    say("whenever it is interrupted, nothing is left")
    for delay in (0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.3):
        process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c",
                        "trap 'exit 1' INT; while :; do sleep 0.1; done")
        time.sleep(delay)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        process.communicate()
        require(process.returncode != 0, f"{process.returncode}")
    wait_until(lambda: not hosted(four), "no container")
    wait_until(lambda: not open_leases(four), "no lease")


def check_price(four):
    say("what costs is held, paid for as it was used, and never more than was allowed")
    four.cli(OTHER, "share", "cpu", "50%", "--with", owner(four, TENANT), "--price", "0.001")
    four.cli(OTHER, "share", "memory", "50%", "--with", owner(four, TENANT), "--price", "0.01/GiB")
    there = on(four, OTHER)
    wait_until(lambda: len(four.json(TENANT, "grants", "--to-me")["grants"]) >= 5, "the tenant sees the grants")
    plan = json.loads(four.cli(TENANT, "run", "--json", *LIMITS, *there, "--plan", IMAGE).stdout)
    held = Decimal(plan["escrow"])
    require(Decimal("0.05") < held < Decimal("0.051"), f"50 millicores and 24 MiB for an hour: {plan}")
    code, _, err = run(four, "--highest-price", "0.05", IMAGE, "true", where=there)
    require(code == 5 and "price_too_high" in err, f"{code} {err}")
    before = Decimal(four.json(TENANT, "wallet")["balance"])
    code, out, err = run(four, "--highest-price", "0.06", IMAGE, "echo", "paid", where=there)
    require((code, out) == (0, b"paid\n"), f"{code} {err}")
    wait_until(lambda: not open_leases(four), "its leases are closed")
    require(before - Decimal(four.json(TENANT, "wallet")["balance"]) < held / 100, "for seconds of an hour")
    code, out, err = run(four, IMAGE, "echo", "anywhere", where=[])
    require((code, out) == (0, b"anywhere\n"), f"{code} {err}")
    explained = four.cli(STRANGER, "run", "--explain", *LIMITS, IMAGE, check=False).stdout
    require(explained.count("not_the_grantee") == 2, f"each machine has its reason: {explained}")


class Screen:
    """A terminal of 30 rows and 100 columns with the command on it."""

    def __init__(self, four, *arguments):
        self.outside, self.inside = pty.openpty()
        self.resize(30, 100)
        self.before = termios.tcgetattr(self.inside)
        self.seen = b""
        self.process = subprocess.Popen(
            [mesh.BINARY, "--api", four.nodes[TENANT]["api"], *map(str, arguments)], start_new_session=True,
            stdin=self.inside, stdout=self.inside, stderr=self.inside, env={**os.environ, "NO_COLOR": "1"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.outside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.outside, text)

    def wait_for(self, text):
        deadline = time.monotonic() + mesh.PATIENCE_S
        while text not in self.seen:
            ready = select.select([self.outside], [], [], max(0, deadline - time.monotonic()))[0]
            require(ready, f"{text} did not appear: {self.seen}")
            self.seen += os.read(self.outside, 65536)
        self.seen = self.seen.split(text, 1)[1]

    def end(self):
        code = self.process.wait(timeout=mesh.PATIENCE_S)
        is_restored = termios.tcgetattr(self.inside) == self.before
        os.close(self.outside)
        os.close(self.inside)
        require(is_restored, "the terminal is as it was")
        return code


def check_terminal(four):
    say("a terminal is one: size, keys, and what it was before")
    screen = Screen(four, "run", *LIMITS, *on(four), "-it", IMAGE, "sh")
    screen.wait_for(b"# ")
    screen.type(b"stty size\r")
    screen.wait_for(b"30 100")
    screen.resize(40, 120)
    wait_until(lambda: (screen.type(b"echo =$(stty size)=\r"), time.sleep(0.3), screen_has(screen, b"=40 120="))[2],
               "the window's size follows")
    screen.type(b"sleep 100; echo code $?\r")
    screen.wait_for(b"sleep 100")
    time.sleep(0.5)
    screen.type(b"\x03")
    screen.type(b"exit 11\r")
    require(screen.end() == 11, "and its exit code")
    screen = Screen(four, "run", *LIMITS, *on(four), "-it", IMAGE, "sh", "-c",
                    "trap 'exit 12' TERM; echo ready; while :; do sleep 0.1; done")
    screen.wait_for(b"ready")
    screen.process.terminate()
    require(screen.end() == 12, "a signal from outside is passed on")
    screen = Screen(four, "run", *LIMITS, *on(four), "-it", IMAGE, "sh", "-c", "echo ready; cat")
    screen.wait_for(b"ready")
    screen.process.send_signal(signal.SIGABRT)
    require(screen.end() == -signal.SIGABRT, "even if it is aborted")

    say("what is detached is attached to again")
    run_id = detached(four, "-t", IMAGE, "sh", "-c", "while read word; do echo got $word; done")
    screen = Screen(four, "attach", run_id)
    screen.type(b"one\r")
    screen.wait_for(b"got one")
    screen.process.send_signal(signal.SIGKILL)
    screen.process.wait()
    screen = Screen(four, "attach", run_id[:12])
    screen.type(b"two\r")
    screen.wait_for(b"got two")
    screen.type(b"\x04")
    require(screen.end() == 0, "it ended with its input")
    four.cli(TENANT, "rm", run_id)


def screen_has(screen, text):
    if select.select([screen.outside], [], [], 0)[0]:
        screen.seen += os.read(screen.outside, 65536)
    return text in screen.seen


def check_limits(four):
    say("memory, processes, devices, users and network end where they should")
    code, _, err = run(four, IMAGE, "dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1")
    require(code == 137, f"out of memory: {code} {err}")
    code, out, err = run(four, "--pids", "8", IMAGE, "sh", "-c",
                         "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo unreachable")
    require(b"unreachable" not in out or "fork" in err, f"{code} {out} {err}")
    code, out, err = run(four, IMAGE, "sh", "-c", "id -u; cat /proc/self/uid_map; tail -n +3 /proc/net/dev")
    lines = out.decode().splitlines()
    require(code == 0 and lines[0] == "0" and int(lines[1].split()[1]) >= 1000, f"root is nobody outside: {out} {err}")
    require([line.split(":")[0].strip() for line in lines[2:]] == ["lo"], f"no network but its own: {out}")
    code, out, err = run(four, "--read-only", "--tmpfs", "/scratch:1Mi", IMAGE, "sh", "-c",
                         "echo x > /file && echo wrote; echo x > /scratch/file && echo scratch")
    require(b"wrote" not in out and b"scratch" in out, f"{out} {err}")
    code, out, err = run(four, "--user", "1000:1000", IMAGE, "id", "-u")
    require((code, out) == (0, b"1000\n"), f"{code} {out} {err}")
    code, out, err = run(four, "-v", "kept:/data:8Mi", IMAGE, "sh", "-c", "echo once >> /data/file; cat /data/file")
    require((code, out) == (0, b"once\n"), f"{code} {out} {err}")
    code, out, err = run(four, "-v", "kept:/data:8Mi:ro", IMAGE, "sh", "-c", "cat /data/file; echo x > /data/x")
    require(code != 0 and out == b"once\n", f"a volume stays, and may be read only: {code} {out} {err}")


def check_detached(four):
    say("a detached run goes on, and is looked at, entered, copied and stopped")
    run_id = detached(four, "--name", "web", "--net", "mesh", IMAGE, "sh", "-c",
                      "echo begun; httpd -p 8080 -h /srv; while :; do echo tick; sleep 0.2; done")
    left = leftovers(four)
    require(all(left.values()), f"what it has in the kernel is found where the end of this test looks: {left}")
    listed = four.json(TENANT, "ps")["runs"]
    require([(each["run"], each["phase"]) for each in listed] == [(run_id, "running")], f"{listed}")
    require(run_id in hosted(four), "the provider sees it")
    used = four.json(PROVIDER, "who")
    require(all(lease in json.dumps(used) for lease in listed[0]["leases"]), f"and who uses what: {used}")
    wait_until(lambda: four.cli(TENANT, "logs", "web").stdout.startswith("begun\ntick"), "its log is there")
    require(len(four.cli(TENANT, "logs", "--tail", "4", "web").stdout) == 4, "only the end of it")
    follower = start(four, TENANT, "logs", "-f", "web")
    require(follower.stdout.readline() == b"begun\n", "a follower begins at the beginning")
    follower.kill()
    follower.communicate()

    done = four.cli(TENANT, "exec", "-e", "B=2", "--workdir", "/srv", "web", "sh", "-c", "echo $B $PWD; exit 3",
                    check=False)
    require((done.returncode, done.stdout) == (3, "2 /srv\n"), f"{done}")
    process = start(four, TENANT, "exec", "-i", "web", "cat", stdin=subprocess.PIPE)
    require(finish(process, b"through")[1] == b"through", "input reaches it")

    say("files go in and out as they are")
    folder = four.folder / "files"
    (folder / "deep").mkdir(parents=True)
    data = os.urandom(700_000)
    (folder / "deep/data").write_bytes(data)
    (folder / "link").symlink_to("deep/data")
    four.cli(TENANT, "cp", folder, "web:/srv")
    summed = four.cli(TENANT, "exec", "web", "sha256sum", "/srv/files/link").stdout.split()[0]
    require(summed == hashlib.sha256(data).hexdigest(), "the same bytes")
    four.cli(TENANT, "cp", "web:/srv/files", four.folder / "back")
    require((four.folder / "back/deep/data").read_bytes() == data, "and back")
    require(os.readlink(four.folder / "back/link") == "deep/data", "a link stays one")
    (four.folder / "note").write_text("note\n")
    four.cli(TENANT, "cp", four.folder / "note", "web:/srv/renamed")
    require(four.cli(TENANT, "exec", "web", "cat", "/srv/renamed").stdout == "note\n", "a file under another name")
    four.cli(TENANT, "cp", "web:/srv/renamed", four.folder)
    require((four.folder / "renamed").read_text() == "note\n", "into a folder that is there")
    done = four.cli(TENANT, "cp", "web:/no/such", four.folder, check=False)
    require(done.returncode == 1 and done.stderr.startswith("error: "), f"{done}")
    tar = start(four, TENANT, "cp", "web:/srv/files", "-")
    require(b"ustar" in finish(tar)[1], "an archive on standard output")

    say("a port of it is reached from here")
    forward = start(four, TENANT, "forward", "--json", "web", "0:8080", "0:9")
    ports = [each["local"] for each in json.loads(forward.stdout.readline())["ports"]]
    page = lambda: fetch(ports[0], "/page")
    require(b"a page" in page(), "over HTTP")
    with ThreadPoolExecutor(8) as pool:
        require(all(b"a page" in each for each in pool.map(lambda _: page(), range(24))), "several at once")
    require(fetch(ports[1], "/") == b"", "nothing listens there, and the connection ends")
    require(b"a page" in page(), "and others go on")
    forward.send_signal(signal.SIGINT)
    require(finish(forward)[0] == 0, "until Ctrl-C")

    say("what it uses is told, and it stops")
    usage = lambda: four.json(TENANT, "stats", "--once", "web")["runs"][0]["report"].get("usage", {})
    wait_until(lambda: usage().get("cpu_us", 0) > 0 and usage().get("memory_bytes", 0) > 0, "what it uses")
    shown = four.json(TENANT, "inspect", "web")
    require(shown["spec"]["pids"] == 64 and shown["report"]["phase"] == "running", f"{shown}")
    four.cli(TENANT, "kill", "--signal", "CONT", "web")
    four.cli(TENANT, "stop", "--grace", "1s", "web")
    wait_until(lambda: runs(four)[run_id]["phase"] == "ended", "it has ended")
    require(four.cli(TENANT, "logs", run_id[:12]).stdout.startswith("begun"), "its log stays")
    four.cli(TENANT, "rm", run_id)
    wait_until(lambda: not open_leases(four), "its leases are closed")
    wait_until(lambda: not hosted(four), "the provider has forgotten it")


def fetch(port, path):
    with socket.create_connection(("::1", port), timeout=mesh.PATIENCE_S) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
        return answer


def check_published(four):
    say("an attached run's ports are reached while it runs")
    process = start(four, TENANT, "run", *LIMITS, *on(four), "-p", "0:8080", IMAGE, "sh", "-c",
                    "trap 'exit 9' INT; httpd -p 8080 -h /srv; echo ready; while :; do sleep 0.1; done")
    line = process.stderr.readline().decode()
    require("leads to port 8080" in line, line)
    require(process.stdout.readline() == b"ready\n", "it runs")
    require(b"a page" in fetch(int(line.split("]:")[1].split()[0]), "/page"), "over HTTP")
    process.send_signal(signal.SIGINT)
    require(finish(process)[0] == 9, "until it ends")


def check_client_killed(four):
    say("kill -9 of the command ends the run, and its leases")
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c", "echo ready; sleep 600")
    require(process.stdout.readline() == b"ready\n", "it runs")
    require(len(hosted(four)) == 1 and len(open_leases(four)) == 2, "with its leases")
    process.kill()
    process.communicate()
    wait_until(lambda: not hosted(four), "it has ended")
    wait_until(lambda: not open_leases(four), "its leases are closed")


def check_provider_killed(four):
    say("kill -9 of the provider's node: a detached run goes on, an attached one ends")
    kept = detached(four, "--name", "kept", IMAGE, "sh", "-c", "echo $$ > /pid; while :; do echo on; sleep 0.2; done")
    inside = lambda: four.cli(TENANT, "exec", "kept", "cat", "/proc/1/stat").stdout.split()[21]
    began = inside()
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c", "echo ready; sleep 600")
    require(process.stdout.readline() == b"ready\n", "it runs")
    restart(four, PROVIDER)
    code, _, err = finish(process)
    require(code == 3 and "error: " in err, f"{code} {err}")
    wait_until(lambda: list(hosted(four)) == [kept], "only the detached one is there")
    wait_until(lambda: four.cli(TENANT, "exec", "kept", "true", check=False).returncode == 0, "it is reached again")
    require(inside() == began, "the very same process")
    wait_until(lambda: len(open_leases(four)) == 2, "the leases of the other are closed")
    return kept


def check_tenant_killed(four, kept):
    say("kill -9 of the tenant's node: the same, and it finds its runs again")
    process = start(four, TENANT, "run", *LIMITS, *on(four), IMAGE, "sh", "-c", "echo ready; sleep 600")
    require(process.stdout.readline() == b"ready\n", "it runs")
    restart(four, TENANT)
    code, _, err = finish(process)
    require(code == 3 and "lost" in err, f"{code} {err}")
    wait_until(lambda: list(hosted(four)) == [kept], "only the detached one is there")
    wait_until(lambda: runs(four)[kept]["phase"] == "running", "the tenant's node knows it")
    wait_until(lambda: four.cli(TENANT, "exec", "kept", "true", check=False).returncode == 0, "it is reached again")
    four.cli(TENANT, "rm", "kept")
    wait_until(lambda: not open_leases(four), "its leases are closed")


def restart(four, index):
    node = four.nodes[index]["id"]
    four.kill(index)
    four.up()
    ids(four)
    require(four.nodes[index]["id"] == node, "the same node")


def ids(four):
    for index in range(four.count):
        four.nodes[index]["id"] = wait_until(lambda: four.status(index)["node"], f"node {index} answers")


def check_replicas(four):
    say("of three owners' machines one answers wrongly: the others' result counts, and it is written down")
    for index in (OTHER, STRANGER):
        for kind in ("cpu", "memory", "storage"):
            four.cli(index, "share", kind, "50%", "--with", owner(four, TENANT), "--price", "0")
    there = on(four, OTHER)
    wait_until(lambda: run(four, "-v", "answer:/answer:8Mi", IMAGE, "sh", "-c", "echo wrong > /answer/file",
                           where=there)[0] == 0, "what makes it answer wrongly is there")
    wait_until(lambda: not open_leases(four), "its leases are closed")
    code, out, err = run(four, "--replicas", "3", "--quorum", "2", "-v", "answer:/answer:8Mi", IMAGE, "sh", "-c",
                         "cat /answer/file 2>/dev/null || echo right; exit 6", where=[])
    require((code, out) == (6, b"right\n"), f"{code} {out} {err}")
    answers = dict(line.split()[:2] for line in err.splitlines() if line.startswith("node"))
    names = {index: four.nodes[index]["name"] for index in range(four.count)}
    require(answers == {names[PROVIDER]: "agreed", names[STRANGER]: "agreed", names[OTHER]: "dissented"}, err)
    wrong = lambda: {lease["placement"]["node"] for lease in four.http(STRANGER, "/api/v1/leases")[1]["leases"]
                     if lease["placement"].get("end") == "wrong_result"}
    wait_until(lambda: wrong() == {four.nodes[OTHER]["id"]}, "the ledger knows of the wrong result")
    trust = lambda index: four.json(TENANT, "trust", "show", names[index])
    require(trust(OTHER)["score"] < trust(STRANGER)["score"], f"{trust(OTHER)} {trust(STRANGER)}")
    wait_until(lambda: not open_leases(four), "all leases are closed")

    say("without a quorum there is no result, and nobody is blamed")
    code, out, err = run(four, "--replicas", "3", IMAGE, "sh", "-c", "hostname; cat /proc/sys/kernel/random/uuid",
                         where=[])
    require(code == 1 and out == b"" and "agree on a result" in err, f"{code} {out} {err}")
    wait_until(lambda: not open_leases(four), "all leases are closed")
    require(wrong() == {four.nodes[OTHER]["id"]}, "nobody else is blamed")
    code, _, err = run(four, "--replicas", "4", IMAGE, "true", where=[])
    require(code == 5 and "another owner" in err, f"there are three other owners: {code} {err}")
    for bad in (["--quorum", "2"], ["--replicas", "2"], ["--replicas", "3", "--quorum", "1"],
                ["--replicas", "3", "-i"]):
        code, _, err = run(four, *bad, IMAGE, "true", where=[])
        require(code == 2, f"{bad}: {code} {err}")


def check_many(four):
    say("a hundred containers, eight at a time, leave nothing behind")
    begin = time.monotonic()

    def one(number):
        return run(four, IMAGE, "echo", str(number))

    with ThreadPoolExecutor(8) as pool:
        for number, (code, out, err) in enumerate(pool.map(one, range(100))):
            require((code, out) == (0, f"{number}\n".encode()), f"{number}: {code} {out} {err}")
    say(f"a hundred in {time.monotonic() - begin:.1f} s")
    wait_until(lambda: not hosted(four), "none is there")
    wait_until(lambda: not open_leases(four), "no lease is open")
    wait_until(lambda: nothing_left(four), "no control group, mount, interface or process is left")


def require_runtime(four):
    ids(four)
    token = (Path(four.nodes[PROVIDER]["dir"]) / "keys/admin.token").read_text().strip()
    facts = four.http(PROVIDER, "/api/v1/containers/runtime", headers={"Authorization": f"Bearer {token}"})[1]
    if not facts.get("runtime"):
        skip(f"no container runs on this machine: {facts}")
    say(f"{facts}")


def check_all(four):
    check_image(four)
    check_sharing(four)
    check_attached(four)
    check_held_back(four)
    check_price(four)
    check_terminal(four)
    check_limits(four)
    check_detached(four)
    check_published(four)
    check_client_killed(four)
    kept = check_provider_killed(four)
    check_tenant_killed(four, kept)
    check_replicas(four)
    check_many(four)


def on_a_mesh(check):
    """Runs it on a mesh of its own, if this machine runs containers; leaves nothing behind."""
    if os.geteuid() != 0:
        skip("containers are run by root: control groups and namespaces")
    if static_busybox() is None:
        skip("no static busybox, of which the image is made (Debian package busybox-static)")
    if shutil.which("runc") is None and shutil.which("crun") is None:
        skip("no OCI runtime: neither runc nor crun")
    with Mesh(nodes=4) as four:
        try:
            require_runtime(four)
            check(four)
        finally:
            # Detached containers outlive their nodes.
            four.down()
            mesh.run("doctor", "--dir", four.dir, "--fix", "--stop", check=False)


def test():
    on_a_mesh(check_all)


if __name__ == "__main__":
    mesh.main(test)

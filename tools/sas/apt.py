"""Debian packages: unpacked privately without root, or installed on the machine with root."""

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

from .console import Problem, Progress, counting, run, step
from .paths import CACHE, ensure

ETC = Path("/etc/apt")


def parse_sources(text, deb822):
    """The binary sources of a sources file as (options, uri, suite, components).

    Options are (name, value) pairs in the spelling of the one-line format.
    """
    return list(_parse_deb822(text) if deb822 else _parse_lines(text))


def _parse_deb822(text):
    for stanza in re.split(r"\n\s*\n", text):
        fields, name = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and name:
                fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _sep, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "") == "no":
            continue
        options = []
        signed = fields.get("signed-by", "")
        if signed and "\n" not in signed:  # a key written into the stanza cannot be passed on
            options.append(("signed-by", signed))
        if fields.get("trusted") == "yes":
            options.append(("trusted", "yes"))
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield options, uri, suite, fields.get("components", "").split()


ONE_LINE = re.compile(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)")


def _parse_lines(text):
    for line in text.splitlines():
        match = re.match(
            r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line.split("#")[0].strip()
        )
        if match:
            options, uri, suite, components = match.groups()
            pairs = [tuple(pair.split("=", 1)) for pair in (options or "").split() if "=" in pair]
            keep = [(name, value) for name, value in pairs if name in ("signed-by", "trusted")]
            yield keep, uri, suite, components.split()


def machine_sources():
    files = [ETC / "sources.list"]
    folder = ETC / "sources.list.d"
    if folder.is_dir():
        files += sorted(folder.glob("*.list")) + sorted(folder.glob("*.sources"))
    found = []
    for path in files:
        try:
            found += parse_sources(path.read_text(), path.suffix == ".sources")
        except OSError:
            continue
    return found


def debian_source(sources):
    """The machine's first source of Debian's main archive, or None."""
    for options, uri, suite, components in sources:
        if "main" in components and not re.search(r"security|backports|/|updates", suite):
            return options, uri, suite
    return None


class Archive:
    """Debian's archive for one suite, with an apt state of its own below the cache."""

    def __init__(self, suite=None):
        source = debian_source(machine_sources())
        if not source or not shutil.which("apt-get"):
            raise Problem(
                "This machine has no Debian package source: set ODOO_HOME to an Odoo 19 tree."
            )
        self.options, self.uri, own_suite = source
        self.suite = suite or own_suite
        self.folder = CACHE / "apt" / self.suite
        self.updated = False

    def _apt(self):
        root = self.folder
        for name in ("lists/partial", "archives/partial", "etc"):
            ensure(root / name)
        options = " ".join(f"{name}={value}" for name, value in self.options)
        prefix = f"[{options}] " if options else ""
        source = root / "etc" / "sources.list"
        source.write_text(f"deb {prefix}{self.uri} {self.suite} main\n")
        (root / "status").touch()
        settings = {
            "Dir::Etc::sourcelist": source,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": root,
            "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "status",
            "Dir::Cache": root,
            "Dir::Cache::archives": root / "archives",
            "Acquire::Languages": "none",
            # a mirror may stand still; the version is pinned, the signature still checked
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Check-Date": "false",
            "Acquire::Retries": "2",
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "1",
        }
        command = ["apt-get", "-q"]
        for name, value in settings.items():
            command += ["-o", f"{name}={value}"]
        return command

    def update(self):
        if not self.updated:
            run(
                self._apt() + ["update"],
                f"Debian's package list ({self.suite}) could not be fetched: check the network and"
                " call again.",
            )
            self.updated = True

    def versions(self, package):
        self.update()
        cache = [part if part != "apt-get" else "apt-cache" for part in self._apt()]
        cache.remove("-q")
        out = run(cache + ["madison", package], f"The package {package} could not be looked up.")
        return [line.split("|")[1].strip() for line in out.splitlines() if line.count("|") >= 2]

    def fetch(self, packages):
        """Download packages (name or name=version) into the cache; return their paths."""
        self.update()
        out = run(
            self._apt() + ["download", "--print-uris", *packages],
            f"Debian's {self.suite} suite no longer has {' or '.join(packages)}: set ODOO_HOME to"
            " an Odoo 19 source tree.",
        )
        wanted = re.findall(r"^'([^']+)' (\S+) (\d+)", out, re.M)
        folder = ensure(self.folder / "archives")
        sizes = {folder / name: int(size) for _uri, name, size in wanted}
        missing = [path for path, size in sizes.items() if _size(path) != size]
        if missing:
            total = sum(sizes[path] for path in missing)
            with _watching(missing, total):
                run(
                    self._apt() + ["download", *packages],
                    "A download from Debian's archive broke off: check the network and call again.",
                    cwd=folder,
                )
        return list(sizes)

    def forget(self):
        """Free the disk of what has been unpacked."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _size(path):
    return path.stat().st_size if path.exists() else 0


class _watching:
    """Show the growth of files while apt downloads them."""

    def __init__(self, paths, total):
        self.paths, self.total = paths, total
        self.progress = Progress("download", total)
        self.stop = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.stop.wait(0.5):
            self.progress.update(sum(_size(path) for path in self.paths))

    def __exit__(self, kind, *_rest):
        self.stop.set()
        self.thread.join()
        if kind is None:
            self.progress.update(self.total)
        self.progress.close()


def unpack(path, folder):
    run(
        ["dpkg-deb", "-x", path, folder],
        f"The package {path.name} could not be unpacked: call again to fetch it afresh.",
    )


def privilege():
    """The command prefix that gives root, or None without the right to it."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(
            ["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL
        )
        if not asked.returncode:
            return ["sudo", "-n"]
    return None


def install(packages, reason):
    """Install packages on the machine; raise Problem in one sentence without the right to it."""
    prefix = privilege()
    names = " ".join(packages)
    if prefix is None:
        raise Problem(
            f"No right to install {reason}: run `sudo apt-get install {names}` once, or let an"
            " administrator do it, and call again."
        )
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    command = prefix + environment + ["apt-get", "-q", "-y"]
    offline = f"{reason} could not be installed ({names}): check the network and call again."
    with step(f"Installing {reason} on this machine ({names})"):
        run(command + ["update"], offline)
        command += ["install", "--no-install-recommends", *packages]
        planned = run([*command, "--simulate"], offline)
        count = len(re.findall(r"^Inst ", planned, re.M))
        with counting("packages", count, r"Setting up \S+") as on_line:
            run(command, offline, on_line)

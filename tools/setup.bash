# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/dev: installs the Debian packages of tools/packages-debian.txt, and for one test
# each an npm package and a kernel. Says what it is about to do, asks nothing, changes nothing when
# all is there, and is safe to repeat.

# packages_of SECTION…: the needs that these sections have on this architecture, one per line,
# comments removed.
packages_of() {
  local wanted=" $* " line section="" architecture
  architecture="$(dpkg --print-architecture 2>/dev/null || true)"
  while IFS= read -r line; do
    line="${line%%#*}"
    line="${line#"${line%%[![:space:]]*}"}"
    line="${line%"${line##*[![:space:]]}"}"
    case "$line" in
      "") ;;
      "["*"]") section="${line:1:-1}" ;;
      *"["*"]")
        if [[ "$wanted" == *" $section "* && "$line" == *" [$architecture]" ]]; then
          printf '%s\n' "${line% \[*}"
        fi
        ;;
      *) if [[ "$wanted" == *" $section "* ]]; then printf '%s\n' "$line"; fi ;;
    esac
  done <"$ROOT/tools/packages-debian.txt"
}

# is_met NEED: one of the alternatives is installed in a sufficient version.
is_met() {
  local alternative name minimum have
  while IFS= read -r alternative; do
    read -r name _ minimum <<<"$alternative"
    have="${INSTALLED[$name]:-}"
    [[ -n "$have" ]] || continue
    if [[ -z "$minimum" ]] || dpkg --compare-versions "$have" ge "$minimum"; then return 0; fi
  done <<<"${1//|/$'\n'}"
  return 1
}

# choose NEED: prints the first alternative that this release can install.
choose() {
  local alternative name policy
  while IFS= read -r alternative; do
    read -r name _ <<<"$alternative"
    policy="$(LC_ALL=C apt-cache policy "$name")"
    if [[ "$policy" == *"Candidate: "* && "$policy" != *"Candidate: (none)"* ]]; then
      printf '%s\n' "$name"
      return 0
    fi
  done <<<"${1//|/$'\n'}"
  echo "no package for the need '$1' in this release" >&2
  return 1
}

find_missing() {
  local package version need
  declare -gA INSTALLED=()
  MISSING=()
  while read -r package version; do
    INSTALLED["$package"]="$version"
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' 2>/dev/null |
    sed -n 's/^installed //p')
  while IFS= read -r need; do
    is_met "$need" || MISSING+=("$need")
  done < <(packages_of "$@")
}

become_root() {
  if [[ "$(id -u)" == 0 ]]; then
    AS_ROOT=(env DEBIAN_FRONTEND=noninteractive)
  elif command -v sudo >/dev/null; then
    AS_ROOT=(sudo env DEBIAN_FRONTEND=noninteractive)
  else
    die "packages are missing and this user may not install them" \
      "neither root nor sudo is at hand" \
      "run 'tools/dev setup' once as root, or install: ${MISSING[*]}"
  fi
}

# Debian 12 has ngtcp2 0.12, which does not speak to the 1.x interface; its own backports have 1.x.
add_backports() {
  if grep -rqs '^[^#]*bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d; then
    return 0
  fi
  local list=/etc/apt/sources.list.d/hypermesh-bookworm-backports.list
  say "adding Debian's own bookworm-backports to apt ($list), and installing from it" \
    "ngtcp2 and its GnuTLS library, nothing else"
  echo "deb http://deb.debian.org/debian bookworm-backports main" |
    "${AS_ROOT[@]}" tee "$list" >/dev/null
}

# Prometheus is installed for its promtool; its server is not wanted here.
keep_prometheus_stopped() {
  if [[ " $* " == *" prometheus "* && -d /run/systemd/system ]]; then
    "${AS_ROOT[@]}" systemctl mask --quiet prometheus.service || true
  fi
}

# install_packages SECTION…
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: install the equivalents of tools/packages-debian.txt by hand;" \
      "the build names whatever is missing"
    return 0
  fi
  local MISSING
  find_missing "$@"
  if [[ ${#MISSING[@]} == 0 ]]; then return 0; fi

  local need name apt=() backports=() release=""
  release="$(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")"
  become_root
  say "installing Debian packages: ${MISSING[*]}"
  if [[ "$release" == debian12 && "${MISSING[*]}" == *ngtcp2* ]]; then add_backports; fi
  "${AS_ROOT[@]}" apt-get update -q -o APT::Update::Error-Mode=any ||
    "${AS_ROOT[@]}" apt-get update -q
  for need in "${MISSING[@]}"; do
    name="$(choose "$need")" || die "cannot install what the build needs" "no package for '$need'" \
      "see tools/packages-debian.txt; Debian 12 and later are supported"
    if [[ "$release" == debian12 && "$name" == libngtcp2* ]]; then
      backports+=("$name")
    else
      apt+=("$name")
    fi
  done
  keep_prometheus_stopped "${apt[@]}"
  local options=(-y -q --no-install-recommends -o Dpkg::Use-Pty=0)
  if [[ ${#apt[@]} != 0 ]]; then
    "${AS_ROOT[@]}" apt-get install "${options[@]}" "${apt[@]}"
  fi
  if [[ ${#backports[@]} != 0 ]]; then
    "${AS_ROOT[@]}" apt-get install "${options[@]}" -t bookworm-backports "${backports[@]}"
  fi
  find_missing "$@"
  if [[ ${#MISSING[@]} != 0 ]]; then
    die "packages are still missing after the installation" "${MISSING[*]}" "see the lines above"
  fi
}

# What building and every test need.
install_all() {
  local sections=(build test)
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then sections+=(node); fi
  install_packages "${sections[@]}"
  install_noble
  fetch_kernel
}

# The kernel that tests/pure_cgroup2.py boots, unpacked into the build folder: installed, it would
# touch what this machine boots. Without it that test is skipped.
fetch_kernel() {
  local into="$ROOT/build/kernel" package
  if compgen -G "$into/boot/vmlinuz-*" >/dev/null; then return 0; fi
  if [[ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ]]; then return 0; fi
  package="$(LC_ALL=C apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: *\(linux-image-[^ ]*\)$/\1/p;T;q')"
  [[ -n "$package" ]] || return 0
  say "unpacking the Debian package $package into build/kernel"
  rm -rf "$into.part"
  mkdir -p "$into.part"
  if (cd "$into.part" && timeout 300 apt-get download -q "$package" && dpkg-deb -x ./*.deb . &&
    rm ./*.deb) </dev/null >"$(log_of kernel)" 2>&1; then
    rm -rf "$into"
    mv "$into.part" "$into"
  else
    rm -rf "$into.part"
    say "not there, its test will be skipped; why: build/logs/kernel.log"
  fi
}

# The implementation that tests/pq_noble.py compares ours with, into the build folder: a fixed
# version, its files checked by the hashes in the lock file. Without it that test is skipped.
install_noble() {
  local from="$ROOT/tests/pq_noble" into="$ROOT/build/pq_noble"
  if [[ -d "$into/node_modules" ]] && cmp -s "$from/package-lock.json" "$into/package-lock.json"; then
    return 0
  fi
  command -v npm >/dev/null || return 0
  say "installing the npm package @noble/post-quantum into build/pq_noble"
  rm -rf "$into"
  mkdir -p "$into"
  cp "$from/package.json" "$from/package-lock.json" "$into"
  local options=(--ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1
    --fetch-retry-mintimeout=1000 --fetch-timeout=20000)
  if ! (cd "$into" && timeout 120 npm ci "${options[@]}" </dev/null) >"$(log_of pq_noble)" 2>&1; then
    rm -rf "$into/node_modules"
    if grep -q EINTEGRITY "$(log_of pq_noble)"; then
      die "the npm package @noble/post-quantum is not the one that was tested" \
        "its hash is not that of tests/pq_noble/package-lock.json" "see build/logs/pq_noble.log"
    fi
    say "not installed, its test will be skipped; why: build/logs/pq_noble.log"
  fi
}

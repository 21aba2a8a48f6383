// SPDX-License-Identifier: Apache-2.0
// What people write about containers: sizes, processors, mounts, ports, signals. What none of these
// can mean is refused by name, with an example of what could be meant.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "apps/hypermesh/failure.h"
#include "core/containers/run_spec.h"

namespace hm::cli {

// Without a size in the word.
inline constexpr std::uint64_t kDefaultVolumeBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kDefaultScratchBytes = std::uint64_t{64} << 20;

// "256M", "1Gi", "4096": a whole number of bytes above 0.
Answer<std::uint64_t> bytes_of(std::string_view option, std::string_view text);

// "0.5", "2", "1500m": in millicores.
Answer<std::uint32_t> millicores_of(std::string_view option, std::string_view text);

// "data:/var/lib/data", "data:/var/lib/data:10G", "data:/srv:1G:ro".
Answer<containers::Volume> volume_of(const std::string& text);

// "/scratch", "/scratch:64M". Without a size it is no larger than `memory`, of which it takes.
Answer<containers::Scratch> scratch_of(const std::string& text, std::uint64_t memory);

// "8080:80", "127.0.0.1:8080:80", "[::1]:8080:80".
struct PortWord {
  std::string address = "::1";  // without brackets
  std::uint16_t local = 0;      // 0: whichever is free
  std::uint16_t container = 0;
  bool operator==(const PortWord&) const = default;
};
Answer<PortWord> port_of(const std::string& text);
// "[::1]:8080"
std::string listen_words(const PortWord& port);

// "no", "on-failure", "on-failure:5", "always".
Answer<containers::RestartPolicy> restart_of(std::string_view text);
std::string restart_words(const containers::RestartPolicy& policy);

// "TERM", "SIGTERM", "term", "15".
Answer<std::uint8_t> signal_of(std::string_view text);
// "SIGTERM"; the number where it has no name.
std::string signal_words(int number);

// "NAME=VALUE" as it is; "NAME" with what `look_up` has under it.
using LookUp = std::function<std::optional<std::string>(const std::string& name)>;
Answer<std::string> variable_of(const std::string& text, const LookUp& look_up);
// The environment of this process.
LookUp own_environment();

// One side of a copy: "RUN:/path", "-", or a path here. What has a '/' before its first ':' is a
// path here.
struct CopySide {
  std::string run;   // empty: here
  std::string path;  // "-": standard input or output
  bool operator==(const CopySide&) const = default;
};
Answer<CopySide> copy_side_of(const std::string& text);

// What an option has to be for a container to be given what it asks for.
Failure refusal_of(containers::SpecError error);

}  // namespace hm::cli

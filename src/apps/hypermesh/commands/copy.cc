// SPDX-License-Identifier: Apache-2.0
// `hypermesh cp`: files into a run, and out of it.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/container_words.h"
#include "apps/hypermesh/fed_stream.h"
#include "apps/hypermesh/file_archive.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kStreams = "/containers/stream";

ordered_json copy_request(const std::string& run, bool is_into, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return {{"copy", {{"run", run}, {"way", is_into ? "into" : "out_of"}, {"path", path}}}};
}

// A stream that is read by whoever asks for the next bytes, and runs the loop for them.
class Incoming {
 public:
  Incoming(const StreamDoor& door, const ordered_json& first) {
    StreamHandlers handlers;
    handlers.on_bytes = [this](StreamLane, std::string_view bytes) { pieces_.emplace_back(bytes); };
    handlers.on_end = [this](Answer<ordered_json> last) { last_ = std::move(last); };
    stream_ = ApiStream::open(loop_, door, kStreams, first, std::move(handlers));
  }

  std::optional<std::string> next() {
    while (pieces_.empty() && !last_ && loop_.run_one() > 0) {
    }
    if (pieces_.empty()) return std::nullopt;
    std::string piece = std::move(pieces_.front());
    pieces_.pop_front();
    stream_->allow(piece.size());
    return piece;
  }

  bool has_ended() const { return last_.has_value(); }
  // How it ended, once everything has been read.
  Answer<ordered_json> last() {
    while (next()) {
    }
    if (last_) return std::move(*last_);
    return failed(ExitCode::NotReachable, "the copy was broken off");
  }

 private:
  boost::asio::io_context loop_;
  std::deque<std::string> pieces_;
  std::optional<Answer<ordered_json>> last_;
  std::shared_ptr<ApiStream> stream_;
};

void tell_left_out(const Context& context, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    context.terminal.talk(
        printable(fmt::format("left out: {} (only files, folders and links are carried)", name)));
  }
}

// Where in the run it goes, and what it is called there, as `cp` has it.
struct Target {
  std::string folder;
  std::string name;  // empty: what is in the folder, without the folder
};
Target target_of(const StreamDoor& door, const CopySide& from, const CopySide& to) {
  const std::filesystem::path source = std::filesystem::absolute(from.path).lexically_normal();
  const bool is_content = from.path == "." || from.path.ends_with("/.");
  std::string name = source.filename().string();
  if (name.empty()) name = source.parent_path().filename().string();
  Incoming probe(door, copy_request(to.run, false, to.path));
  const ArchivedRoot there = root_of([&] { return probe.next(); });
  if (there.is_there && there.is_folder) return {to.path, is_content ? std::string() : name};
  if (to.path.ends_with('/')) return {to.path, name};
  const std::filesystem::path path(to.path);
  return {path.parent_path().string(), path.filename().string()};
}

Outcome copy_into(const Context& context, const StreamDoor& door, const CopySide& from,
                  const CopySide& to) {
  if (from.path == "-") {
    HM_CLI_TRY_VOID(
        send_input(door, {kStreams, copy_request(to.run, true, to.path)}, STDIN_FILENO));
    return {};
  }
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(from.path, error))) {
    return failed(ExitCode::Failure, fmt::format("there is no {}", from.path),
                  "neither a file nor a folder is called so", "check the name");
  }
  const Target target = target_of(door, from, to);
  HM_CLI_TRY(ArchiveWriter archive, ArchiveWriter::of(from.path, target.name));
  HM_CLI_TRY_VOID(
      send_archive(door, {kStreams, copy_request(to.run, true, target.folder)}, archive));
  tell_left_out(context, archive.left_out());
  return {};
}

Outcome copy_out(const Context& context, const StreamDoor& door, const CopySide& from,
                 const CopySide& to) {
  const ordered_json request = copy_request(from.run, false, from.path);
  if (to.path == "-") {
    HM_CLI_TRY_VOID(receive_output(door, {kStreams, request}, STDOUT_FILENO));
    return {};
  }
  Incoming incoming(door, request);
  std::vector<std::string> left_out;
  auto unpacked = unpack([&] { return incoming.next(); }, from.path, to.path, left_out);
  if (!unpacked && !incoming.has_ended()) return unpacked;
  // That the node broke off is why the archive is not whole.
  HM_CLI_TRY_VOID(incoming.last());
  tell_left_out(context, left_out);
  return unpacked;
}

}  // namespace

Outcome run(const ContainerCopy& options, const Context& context) {
  HM_CLI_TRY(const CopySide from, copy_side_of(options.from));
  HM_CLI_TRY(const CopySide to, copy_side_of(options.to));
  if (from.run.empty() == to.run.empty()) {
    return failed(ExitCode::Usage, "one side of a copy is in a run, the other here",
                  from.run.empty() ? "both are here" : "both are in runs",
                  "for example: hypermesh cp notes.txt web:/srv, or hypermesh cp web:/srv .");
  }
  if (to.path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return failed(ExitCode::Usage, "an archive is nothing for a terminal", "standard output is one",
                  "name a folder, or pass it on to a program");
  }
  HM_CLI_TRY(const ContainerAccess access, container_access(context.globals));
  return to.run.empty() ? copy_out(context, access.door, from, to)
                        : copy_into(context, access.door, from, to);
}

}  // namespace hm::cli

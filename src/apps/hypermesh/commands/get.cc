// SPDX-License-Identifier: Apache-2.0
// `hypermesh get` and `hypermesh cat`: stored objects become files again.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/object_transfer.h"
#include "apps/hypermesh/object_view.h"
#include "apps/hypermesh/partial_file.h"
#include "apps/hypermesh/shared_object.h"
#include "core/api/storage_request.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

Answer<api::ByteRange> range_of(const std::string& text, std::uint64_t size) {
  const api::RangeAnswer answer = api::parse_range("bytes=" + text, size);
  if (answer.verdict == api::RangeVerdict::Part) return answer.range;
  const bool is_beyond = answer.verdict == api::RangeVerdict::Unsatisfiable;
  return failed(is_beyond ? ExitCode::Failure : ExitCode::Usage,
                fmt::format("--range: '{}' is no part of it", text),
                is_beyond ? fmt::format("it has {} bytes, the first of which is 0", size)
                          : "it is the first and the last byte that are wanted",
                "for example --range 0-99, --range 100- or --range -100");
}

Outcome write_out(std::string_view piece) {
  while (!piece.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return failed(ExitCode::Failure, "cannot write to standard output", std::strerror(errno));
    }
    piece.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

std::unexpected<Failure> other_content(const std::string& name) {
  return failed(ExitCode::Failure, fmt::format("{} came with another content", name),
                "its BLAKE3 hash is not the one that was stored",
                "this machine or the node's may be faulty; get it again");
}

Outcome to_output(ObjectAccess& access, const ordered_json& object,
                  const std::optional<std::string>& range) {
  const std::string name = text_of(object, "name");
  const std::uint64_t size = number_of(object, "size");
  api::ByteRange wanted{0, size};
  if (range) {
    HM_CLI_TRY(wanted, range_of(*range, size));
  }
  blake3::Hasher hasher;
  HM_CLI_TRY_VOID(receive_object(access, name, text_of(object, "etag"), wanted.begin, wanted.end,
                                 [&](std::string_view piece) {
                                   hasher.update(as_bytes(piece));
                                   return write_out(piece);
                                 }));
  if (!range && hasher.digest().to_string() != text_of(object, "content")) {
    return other_content(name);
  }
  return {};
}

// What one command got.
class Getting {
 public:
  Getting(const Context& context, const ObjectGet& options, ObjectAccess& access)
      : context_(context), options_(options), access_(access) {}

  Outcome get_named();
  Outcome get_folder();

 private:
  Outcome get_one(const ordered_json& object);
  Outcome to_file(const ordered_json& object, const std::string& path);
  Outcome tell() const;
  Answer<std::string> place_of(const ordered_json& object) const;

  const Context& context_;
  const ObjectGet& options_;
  ObjectAccess& access_;
  ordered_json got_ = ordered_json::array();
};

Outcome Getting::to_file(const ordered_json& object, const std::string& path) {
  const auto began = std::chrono::steady_clock::now();
  const std::string name = text_of(object, "name");
  const std::string content = text_of(object, "content");
  const std::uint64_t size = number_of(object, "size");
  std::error_code error;
  if (!options_.force && fs::exists(fs::symlink_status(path, error))) {
    return failed(ExitCode::Failure, fmt::format("{} is there already", path),
                  "nothing is replaced that was not meant to be",
                  "-o FILE writes elsewhere, --force replaces it");
  }
  api::ByteRange wanted{0, size};
  if (options_.range) {
    HM_CLI_TRY(wanted, range_of(*options_.range, size));
  }
  const bool goes_on = options_.resume && !options_.range;
  HM_CLI_TRY(PartialFile file,
             PartialFile::open(path, content,
                               goes_on ? PartialFile::Begin::GoOn : PartialFile::Begin::Anew));
  if (file.size() > wanted.end - wanted.begin) {
    file.discard();
    return failed(ExitCode::Failure, fmt::format("{} was longer than the object", file.path()),
                  "what an earlier get left there is not of it; it is removed", "get it again");
  }
  const std::uint64_t before = file.size();
  auto received =
      receive_object(access_, name, text_of(object, "etag"), wanted.begin + before, wanted.end,
                     [&](std::string_view piece) { return file.append(piece); });
  if (!received) {
    if (file.size() > 0 && !options_.range) {
      context_.terminal.talk(printable(
          fmt::format("{} has what came; 'hypermesh get --resume' goes on with it", file.path())));
    }
    if (options_.range) file.discard();
    return received;
  }
  if (!options_.range && file.content().to_string() != content) {
    file.discard();
    return other_content(name);
  }
  HM_CLI_TRY_VOID(
      file.finish(options_.force ? PartialFile::Existing::Replace : PartialFile::Existing::Keep));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  if (!context_.globals.json && !options_.recursive) {
    context_.terminal.data(printable(
        fmt::format("{}: {}", path, rate_words(wanted.end - wanted.begin - before, took))));
  }
  got_.push_back({{"file", path}, {"object", object}});
  return {};
}

// A file beside this, or in the folder that was named.
Answer<std::string> Getting::place_of(const ordered_json& object) const {
  std::error_code error;
  const bool is_folder = options_.out.ends_with('/') || fs::is_directory(options_.out, error);
  if (!options_.out.empty() && !is_folder) return options_.out;
  const std::string name = text_of(object, "name");
  const auto last = file_name_of(name);
  if (!last) {
    return failed(ExitCode::Usage, fmt::format("'{}' is no name for a file", name),
                  "its last part is empty or leads elsewhere", "-o FILE says what to call it");
  }
  return options_.out.empty() ? *last : (fs::path(options_.out) / *last).string();
}

Outcome Getting::get_one(const ordered_json& object) {
  if (options_.out == "-") return to_output(access_, object, options_.range);
  HM_CLI_TRY(const std::string path, place_of(object));
  return to_file(object, path);
}

Outcome Getting::tell() const {
  if (context_.globals.json && options_.out != "-") {
    context_.terminal.data(ordered_json({{"schema", 1}, {"got", got_}})
                               .dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  }
  return {};
}

Outcome Getting::get_named() {
  HM_CLI_TRY(const ordered_json found, look_for_object(access_, options_.name));
  if (!found.is_null()) {
    HM_CLI_TRY_VOID(get_one(member_of(found, "object")));
    return tell();
  }
  if (!is_share_id(options_.name)) {
    HM_CLI_TRY_VOID(find_object(access_, options_.name));  // says so
  }
  HM_CLI_TRY(const auto objects,
             attach_shared(context_.globals, access_, options_.name, options_.as));
  for (const ordered_json& object : objects) {
    context_.terminal.talk(
        printable(fmt::format("{} shares it; it is called {} here", text_of(object, "owner_name"),
                              text_of(object, "name"))));
    HM_CLI_TRY_VOID(get_one(object));
  }
  return tell();
}

// The path below the folder; none if it leads out of it.
std::optional<std::string> safe_below(std::string_view rest) {
  if (rest.empty() || rest.starts_with('/') || rest.ends_with('/')) return std::nullopt;
  for (std::size_t at = 0; at <= rest.size();) {
    const std::size_t end = std::min(rest.find('/', at), rest.size());
    const std::string_view part = rest.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return std::nullopt;
    at = end + 1;
  }
  return std::string(rest);
}

Outcome Getting::get_folder() {
  const std::string prefix = folder_prefix(options_.name);
  HM_CLI_TRY(const auto objects, objects_below(access_, prefix));
  if (objects.empty()) {
    return failed(ExitCode::Failure, fmt::format("nothing is stored below '{}'", options_.name),
                  "no object's name begins so", "'hypermesh ls -R' lists what there is");
  }
  std::string folder = options_.out;
  if (folder.empty()) {
    const auto own = file_name_of(prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1));
    folder = own.value_or(".");
  }
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t bytes = 0;
  std::size_t refused = 0;
  for (const ordered_json& object : objects) {
    const std::string name = text_of(object, "name");
    const auto below = safe_below(std::string_view(name).substr(prefix.size()));
    if (!below) {
      ++refused;
      context_.terminal.talk(printable(fmt::format(
          "not written: '{}' would not be below {}; get it with -o FILE", name, folder)));
      continue;
    }
    const fs::path path = fs::path(folder) / *below;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) {
      return failed(ExitCode::Failure, fmt::format("cannot make {}", path.parent_path().string()),
                    error.message(), "check who may write there");
    }
    HM_CLI_TRY_VOID(to_file(object, path.string()));
    bytes += number_of(object, "size");
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  if (!context_.globals.json) {
    context_.terminal.data(
        printable(fmt::format("{}: {} files, {}", folder, got_.size(), rate_words(bytes, took))));
  }
  HM_CLI_TRY_VOID(tell());
  if (refused == 0) return {};
  return failed(ExitCode::Failure, fmt::format("{} objects are not written", refused),
                "their names lead out of the folder", "each is named above");
}

}  // namespace

Outcome run(const ObjectGet& options, const Context& context) {
  if (options.recursive && (options.out == "-" || options.range)) {
    return failed(ExitCode::Usage, "a folder becomes files", "-r is together with a folder only",
                  "hypermesh get -r NAME -o FOLDER");
  }
  if (options.out == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return failed(ExitCode::Usage, "what is stored may be nothing for a terminal",
                  "standard output is one", "'hypermesh cat' writes it all the same");
  }
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  Getting getting(context, options, access);
  return options.recursive ? getting.get_folder() : getting.get_named();
}

Outcome run(const ObjectCat& options, const Context& context) {
  HM_CLI_TRY(ObjectAccess access, object_access(context.globals));
  HM_CLI_TRY(const ordered_json found, find_object(access, options.name));
  return to_output(access, member_of(found, "object"), options.range);
}

}  // namespace hm::cli

// SPDX-License-Identifier: Apache-2.0
// `hypermesh image`: the images that a node keeps, and how they come and go.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/hypermesh/container_access.h"
#include "apps/hypermesh/fed_stream.h"
#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/progress_line.h"
#include "apps/hypermesh/quantity.h"
#include "apps/hypermesh/run_view.h"
#include "apps/hypermesh/wall_clock.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

// Closes what it opened; standard input and output stay.
class OpenFile {
 public:
  static Answer<OpenFile> to_read(const std::string& path) {
    if (path == "-") return OpenFile(STDIN_FILENO, false);
    return opened(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  static Answer<OpenFile> to_write(const std::string& path) {
    if (path == "-") return OpenFile(STDOUT_FILENO, false);
    return opened(path, ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  }
  ~OpenFile() {
    if (is_own_) ::close(fd_);
  }
  OpenFile(OpenFile&& other) noexcept
      : fd_(other.fd_), is_own_(std::exchange(other.is_own_, false)) {}
  OpenFile& operator=(OpenFile&&) = delete;

  int fd() const { return fd_; }
  // Of a file; 0 of what is none.
  std::uint64_t size() const {
    struct stat status{};
    return is_file(status) ? static_cast<std::uint64_t>(status.st_size) : 0;
  }
  bool is_file() const {
    struct stat status{};
    return is_file(status);
  }

 private:
  OpenFile(int fd, bool is_own) : fd_(fd), is_own_(is_own) {}
  bool is_file(struct stat& status) const {
    return ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  }
  static Answer<OpenFile> opened(const std::string& path, int fd) {
    if (fd >= 0) return OpenFile(fd, true);
    return failed(ExitCode::Failure, fmt::format("cannot open {}", path), std::strerror(errno),
                  "check the name, and who may read or write there");
  }

  int fd_;
  bool is_own_;
};

void tell_images(const Context& context, const ordered_json& images) {
  if (context.globals.json) {
    context.terminal.data(ordered_json({{"schema", 1}, {"images", images}}).dump());
    return;
  }
  for (const ordered_json& image : images) {
    context.terminal.data(
        printable(fmt::format("{}  {}", text_of(image, "reference"), text_of(image, "manifest"))));
  }
}

Outcome list_images(const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json answer, access.client.get("/images", access.token()));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
    return {};
  }
  std::vector<std::vector<Terminal::Cell>> rows;
  for (const ordered_json& image : list_of(answer, "images")) {
    rows.push_back(image_row(image, wall_now()));
  }
  context.terminal.table(image_heads(), rows);
  return {};
}

Outcome ask_registry(const Context& context, const std::string& verb, const std::string& reference,
                     bool plain_http, const std::string& what) {
  HM_CLI_TRY(const ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json last,
             image_stream(access, registry_request(verb, reference, plain_http), what));
  tell_images(context, list_of(last, "images"));
  return {};
}

// An archive, or a folder with an OCI layout as one, on its way to the node.
Answer<ordered_json> import_archive(const ContainerAccess& access, const ImageImport& options) {
  ProgressLine progress;
  std::uint64_t total = 0;
  bool is_sent = false;
  ordered_json request = ordered_json::object();
  if (!options.name.empty()) request["reference"] = options.name;
  const StreamPurpose purpose{
      .path = "/images/stream",
      .first = {{"import", std::move(request)}},
      .on_moved = [&](std::uint64_t bytes) { progress.show("sending the archive", bytes, total); },
      .on_all_sent =
          [&] {
            is_sent = true;
            progress.show("unpacking the archive", 0, 0);
          },
      .on_word =
          [&](const ordered_json& word) {
            const ordered_json& at = member_of(word, "progress");
            if (at.is_null() || !is_sent) return;
            progress.show("unpacking the archive", number_of(at, "done"), number_of(at, "total"));
          }};
  std::error_code error;
  if (std::filesystem::is_directory(options.file, error)) {
    HM_CLI_TRY(ArchiveWriter archive, ArchiveWriter::of(options.file, {}));
    return send_archive(access.door, purpose, archive);
  }
  HM_CLI_TRY(const OpenFile file, OpenFile::to_read(options.file));
  total = file.size();
  return send_input(access.door, purpose, file.fd());
}

Answer<ordered_json> export_archive(const ContainerAccess& access, const OpenFile& file,
                                    const std::string& reference) {
  ProgressLine progress;
  std::uint64_t total = 0;
  return receive_output(
      access.door,
      {.path = "/images/stream",
       .first = {{"export", {{"reference", reference}}}},
       .on_moved =
           [&](std::uint64_t bytes) { progress.show("receiving the archive", bytes, total); },
       .on_word =
           [&](const ordered_json& word) {
             total = std::max(total, number_of(member_of(word, "progress"), "total"));
           }},
      file.fd());
}

}  // namespace

Outcome run(const ImageList& /*options*/, const Context& context) { return list_images(context); }

Outcome run(const ImagePull& options, const Context& context) {
  return ask_registry(context, "pull", options.reference, options.plain_http,
                      "fetching " + options.reference);
}

Outcome run(const ImagePush& options, const Context& context) {
  return ask_registry(context, "push", options.reference, options.plain_http,
                      "sending " + options.reference);
}

Outcome run(const ImageImport& options, const Context& context) {
  HM_CLI_TRY(const ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json last, import_archive(access, options));
  const ordered_json& images = list_of(last, "images");
  if (images.empty()) {
    return failed(ExitCode::Failure, "the archive has no image that was taken",
                  "none in it is for this machine's platform",
                  "see what is in it, for example: tar tf FILE");
  }
  tell_images(context, images);
  return {};
}

Outcome run(const ImageExport& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(
      const ordered_json image,
      access.client.find("/images/find?reference=" + escape(options.reference), access.token()));
  if (image.is_null()) {
    return failed(ExitCode::Failure, fmt::format("no image is called '{}'", options.reference),
                  "it is neither a name nor the start of a digest here",
                  "'hypermesh image ls' lists them");
  }
  const bool is_output = options.file == "-";
  if (is_output && ::isatty(STDOUT_FILENO) == 1) {
    return failed(ExitCode::Usage, "an archive is nothing for a terminal", "standard output is one",
                  "name a file, or pass it on to a program");
  }
  HM_CLI_TRY(const OpenFile file, OpenFile::to_write(options.file));
  if (auto last = export_archive(access, file, options.reference); !last) {
    // Half an archive is none.
    if (!is_output && file.is_file()) ::unlink(options.file.c_str());
    return std::unexpected(std::move(last.error()));
  }
  if (context.globals.json && !is_output) {
    context.terminal.data(
        ordered_json({{"schema", 1}, {"image", image}, {"file", options.file}}).dump());
  }
  return {};
}

Outcome run(const ImageRemove& options, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  for (const std::string& reference : options.references) {
    HM_CLI_TRY_VOID(access.client.remove("/images?reference=" + escape(reference), access.token()));
    if (!context.globals.json) context.terminal.data(printable(reference));
  }
  if (context.globals.json) {
    context.terminal.data(ordered_json({{"schema", 1}, {"removed", options.references}}).dump());
  }
  return {};
}

Outcome run(const ImagePrune& /*options*/, const Context& context) {
  HM_CLI_TRY(ContainerAccess access, container_access(context.globals));
  HM_CLI_TRY(const ordered_json answer,
             access.client.post("/images/collect", ordered_json::object(), access.token()));
  if (context.globals.json) {
    context.terminal.data(answer.dump());
  } else {
    context.terminal.data(
        fmt::format("{} freed", format_quantity(number_of(answer, "freed_bytes"), "bytes")));
  }
  return {};
}

}  // namespace hm::cli

// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/container_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "apps/hypermesh/json_fields.h"
#include "apps/hypermesh/local_node.h"
#include "apps/hypermesh/progress_line.h"
#include "core/containers/image_reference.h"

namespace hm::cli {

using nlohmann::ordered_json;

namespace {

// A block or two, and some more on a busy machine.
constexpr std::chrono::seconds kClosingPatience{10};
constexpr std::chrono::milliseconds kClosingLook{50};

bool is_closing(const ordered_json& run) {
  return text_of(run, "phase") == "ended" && !list_of(run, "open_leases").empty();
}

}  // namespace

Answer<ContainerAccess> container_access(const Globals& globals) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(globals));
  HM_CLI_TRY(std::string token, admin_token(client.endpoint()));
  StreamDoor door{client.endpoint(), std::move(token)};
  return ContainerAccess{std::move(client), std::move(door)};
}

Answer<ordered_json> find_run(ContainerAccess& access, const std::string& text) {
  HM_CLI_TRY(ordered_json run, access.client.find("/containers/" + escape(text), access.token()));
  if (!run.is_null()) return run;
  return failed(ExitCode::Failure, fmt::format("no run is called '{}'", text),
                "it is neither the name nor the start of the id of one that this node started",
                "'hypermesh ps --all' lists them");
}

bool wait_for_closing(ContainerAccess& access) {
  const auto deadline = std::chrono::steady_clock::now() + kClosingPatience;
  for (bool waited = false;; waited = true) {
    const auto runs = access.client.get("/containers", access.token());
    if (!runs) return false;
    if (std::ranges::none_of(list_of(*runs, "runs"), is_closing)) return waited;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kClosingLook);
  }
}

ordered_json registry_request(const std::string& verb, const std::string& reference,
                              bool plain_http) {
  ordered_json request = {{"reference", reference}, {"plain_http", plain_http}};
  const char* user = std::getenv("HYPERMESH_REGISTRY_USER");
  const char* password = std::getenv("HYPERMESH_REGISTRY_PASSWORD");
  if (user != nullptr && password != nullptr) {
    request["user"] = user;
    request["password"] = password;
  }
  return {{verb, std::move(request)}};
}

Answer<ordered_json> image_stream(const ContainerAccess& access, const ordered_json& first,
                                  const std::string& what) {
  boost::asio::io_context loop;
  std::optional<Answer<ordered_json>> result;
  ProgressLine progress;
  progress.show(what, 0, 0);
  StreamHandlers handlers;
  handlers.on_word = [&](const ordered_json& word) {
    const ordered_json& at = member_of(word, "progress");
    if (!at.is_null()) progress.show(what, number_of(at, "done"), number_of(at, "total"));
  };
  handlers.on_end = [&](Answer<ordered_json> last) {
    result = std::move(last);
    loop.stop();
  };
  const auto stream =
      ApiStream::open(loop, access.door, "/images/stream", first, std::move(handlers));
  loop.run();
  return std::move(*result);
}

Answer<ordered_json> image_for_run(ContainerAccess& access, const std::string& reference) {
  HM_CLI_TRY(ordered_json image,
             access.client.find("/images/find?reference=" + escape(reference), access.token()));
  if (!image.is_null()) return image;
  const auto parsed = containers::parse_image_reference(reference);
  if (!parsed) {
    return failed(ExitCode::Failure, fmt::format("no image is called '{}'", reference),
                  std::string(containers::explain(parsed.error())),
                  "'hypermesh image ls' lists them");
  }
  if (parsed->registry.empty()) {
    return failed(ExitCode::Failure, fmt::format("no image is called '{}' here", reference),
                  "its name has no registry, so there is nowhere to fetch it from",
                  fmt::format("hypermesh image import FILE --name {}, or name a registry: "
                              "registry.example/{}",
                              reference, reference));
  }
  HM_CLI_TRY(
      const ordered_json pulled,
      image_stream(access, registry_request("pull", reference, false), "fetching " + reference));
  const ordered_json& images = list_of(pulled, "images");
  if (!images.empty()) return images.front();
  return failed(ExitCode::Failure, fmt::format("the node fetched nothing for '{}'", reference),
                "the node may be of another version", "compare 'hypermesh version' on both sides");
}

}  // namespace hm::cli

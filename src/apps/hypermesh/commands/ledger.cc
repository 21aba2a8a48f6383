// SPDX-License-Identifier: Apache-2.0
// `hypermesh ledger`: show, tail, verify, export.
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "apps/hypermesh/api_client.h"
#include "apps/hypermesh/asset_view.h"
#include "apps/hypermesh/chain_source.h"
#include "apps/hypermesh/context.h"
#include "foundation/codec/writer.h"

namespace hm::cli {
namespace {

using nlohmann::ordered_json;

void print_block_line(const Context& context, const ordered_json& block) {
  context.terminal.data(fmt::format("{:>8}  {}  {:<24}  {:>5} operations  view {}",
                                    number_of(block, "height"),
                                    text_of(block, "hash").substr(0, 12), text_of(block, "time"),
                                    number_of(block, "operations"), number_of(block, "view")));
}

Answer<std::uint64_t> last_height(ApiClient& client) {
  HM_CLI_TRY(const ordered_json status, client.get("/status"));
  return number_of(status, "height");
}

}  // namespace

Outcome run(const LedgerShow& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  std::uint64_t height = 0;
  if (options.height) {
    height = *options.height;
  } else {
    HM_CLI_TRY(height, last_height(client));
  }
  HM_CLI_TRY(const ordered_json block, client.get(fmt::format("/ledger/blocks/{}", height)));
  if (context.globals.json) {
    context.terminal.data(block.dump());
    return {};
  }
  for (const auto& [key, value] : block.items()) {
    if (value.is_object() || key == "receipts") continue;
    context.terminal.data(fmt::format("{:<14} {}", printable(key), printable(in_words(value))));
  }
  if (block.contains("certificate")) {
    const ordered_json& certificate = block["certificate"];
    context.terminal.data(fmt::format("{:<14} {} with {} signatures in view {}", "certificate",
                                      text_of(certificate, "kind"), certificate["signers"].size(),
                                      number_of(certificate, "view")));
  }
  for (const ordered_json& receipt : block.value("receipts", ordered_json::array())) {
    context.terminal.data(fmt::format("  {}  {:<16} {}", text_of(receipt, "id").substr(0, 12),
                                      text_of(receipt, "action"), text_of(receipt, "status")));
  }
  return {};
}

Outcome run(const LedgerTail& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  HM_CLI_TRY(const ordered_json page,
             client.get(fmt::format("/ledger/blocks?limit={}", options.count)));
  const ordered_json blocks = page.value("blocks", ordered_json::array());
  if (context.globals.json && !options.follow) {
    context.terminal.data(page.dump());
    return {};
  }
  const auto tell = [&](const ordered_json& block) {
    if (context.globals.json) {
      context.terminal.data(block.dump());
    } else {
      print_block_line(context, block);
    }
  };
  std::uint64_t seen = 0;
  for (const ordered_json& block : blocks) {
    tell(block);
    seen = number_of(block, "height");
  }
  if (!options.follow) return {};
  ApiClient lookup(client.endpoint());
  return client.events("/events?kinds=block", [&](std::string_view, const ordered_json& event) {
    const std::uint64_t height = number_of(event, "height");
    if (height <= seen) return true;
    const auto block = lookup.get(fmt::format("/ledger/blocks/{}", height));
    if (block) tell(*block);
    seen = height;
    return true;
  });
}

Outcome run(const LedgerVerify& options, const Context& context) {
  const auto progress = [&](std::uint64_t height) {
    context.terminal.talk(fmt::format("verified up to block {}", height));
  };
  node::VerifyReport report;
  if (options.dir.empty()) {
    HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
    HM_CLI_TRY(report, verify_node(client, progress));
  } else {
    HM_CLI_TRY(report, verify_folder(NodeFolder{absolute(options.dir)}, progress));
  }
  if (context.globals.json) {
    const ordered_json document = {{"schema", 1},
                                   {"verified", true},
                                   {"height", report.height},
                                   {"hash", report.hash.to_string()},
                                   {"state_root", report.state_root.to_string()},
                                   {"operations", report.operations},
                                   {"refused", report.refused},
                                   {"certificates", report.certificates},
                                   {"roots", report.roots}};
    context.terminal.data(document.dump());
  } else {
    context.terminal.data(fmt::format(
        "verified: {} blocks, {} operations ({} refused), {} certificates, {} roots; state root {}",
        report.height, report.operations, report.refused, report.certificates, report.roots,
        report.state_root.to_string()));
  }
  return {};
}

Outcome run(const LedgerExport& options, const Context& context) {
  HM_CLI_TRY(ApiClient client, ApiClient::connect(context.globals));
  const bool standard = options.file == "-";
  std::FILE* out = standard ? stdout : std::fopen(options.file.c_str(), "wbx");
  if (out == nullptr) {
    return failed(ExitCode::Failure, fmt::format("cannot create {}", options.file),
                  std::strerror(errno), "name a file that does not exist yet");
  }
  std::uint64_t count = 0;
  bool written = true;
  const auto fetched = each_block(client, [&](const Bytes& encoded) {
    codec::Writer framed;  // ULEB128 length, then the block
    framed.write(encoded);
    const Bytes& bytes = framed.bytes();
    written = std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
    count += written ? 1 : 0;
    return written;
  });
  written = (standard ? std::fflush(out) : std::fclose(out)) == 0 && written;
  HM_CLI_TRY_VOID(fetched);
  if (!written) {
    return failed(ExitCode::Failure, fmt::format("cannot write {}", options.file),
                  std::strerror(errno), "name a file on a disk with room");
  }
  context.terminal.talk(
      fmt::format("{} blocks written to {}", count, standard ? "standard output" : options.file));
  if (context.globals.json && !standard) {
    context.terminal.data(
        ordered_json{{"schema", 1}, {"file", options.file}, {"blocks", count}}.dump());
  }
  return {};
}

}  // namespace hm::cli

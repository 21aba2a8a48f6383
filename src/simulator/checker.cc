// SPDX-License-Identifier: Apache-2.0
#include "simulator/checker.h"

#include <fmt/format.h>

#include <cstring>

namespace hm::simulator {
namespace {

std::string brief(const crypto::Digest& digest) { return digest.to_string().substr(0, 12); }

}  // namespace

void Checker::fail(const std::string& check, const std::string& what) {
  if (!violation_ && !allowed_.contains(check)) violation_ = Violation{check, what};
}

void Checker::on_started(std::size_t who, std::uint64_t height, const crypto::Digest& hash) {
  last_final_[who] = height;
  if (height > 0) on_served(who, height, hash);
}

void Checker::on_served(std::size_t who, std::uint64_t height, const crypto::Digest& hash) {
  const auto found = chain_.find(height);
  if (found == chain_.end()) {
    fail("recovery", fmt::format("node {} holds block {} which nobody made final", who, height));
  } else if (found->second.hash != hash) {
    fail("fork", fmt::format("node {} holds {} at height {}, final is {}", who, brief(hash), height,
                             brief(found->second.hash)));
  }
}

void Checker::on_final(std::size_t who, const FinalRecord& record) {
  std::uint64_t& last = last_final_[who];
  if (record.height != last + 1) {
    fail("gap", fmt::format("node {} made height {} final after {}", who, record.height, last));
  }
  last = record.height;
  const auto [found, is_new] = chain_.try_emplace(record.height, record);
  if (!is_new) {
    if (found->second.hash != record.hash) {
      fail("fork", fmt::format("node {} made {} final at height {}, another node {}", who,
                               brief(record.hash), record.height, brief(found->second.hash)));
    }
    return;
  }
  const auto parent = chain_.find(record.height - 1);
  if (parent != chain_.end() && parent->second.hash != record.parent) {
    fail("fork", fmt::format("node {}: block {} does not follow {}", who, record.height,
                             brief(parent->second.hash)));
  }
  for (const OperationName& operation : record.operations) {
    included_.try_emplace(operation, record.height);
  }
}

void Checker::on_root(std::size_t who, std::uint64_t height, const crypto::Digest& root) {
  const auto [found, is_new] = roots_.try_emplace(height, root);
  if (!is_new && found->second != root) {
    fail("root", fmt::format("node {} has root {} at height {}, another node {}", who, brief(root),
                             height, brief(found->second)));
  }
}

void Checker::on_acknowledged(const OperationName& operation, std::uint64_t height) {
  acknowledged_.try_emplace(operation, height);
  const auto found = included_.find(operation);
  if (found == included_.end()) {
    fail("lost", fmt::format("operation {} was acknowledged at height {} but no block has it",
                             brief(operation), height));
  }
}

void Checker::check_kept(std::size_t who, const std::map<OperationName, std::uint64_t>& held) {
  for (const auto& [operation, height] : acknowledged_) {
    const auto found = held.find(operation);
    if (found == held.end() || found->second != height) {
      fail("lost", fmt::format("node {} does not hold operation {}, acknowledged at height {}", who,
                               brief(operation), height));
    }
  }
}

void Checker::on_supply(std::size_t who, std::uint64_t height, bool conserved) {
  if (!conserved) {
    fail("conservation", fmt::format("node {} made or lost units at height {}", who, height));
  }
}

void TraceHash::add(ByteView bytes) {
  add(bytes.size());
  while (bytes.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    add(word);
    bytes = bytes.subspan(sizeof word);
  }
  std::uint64_t tail = 0;
  for (const std::uint8_t byte : bytes) tail = (tail << 8) | byte;
  add(tail);
}

}  // namespace hm::simulator

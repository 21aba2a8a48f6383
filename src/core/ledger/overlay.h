// SPDX-License-Identifier: Apache-2.0
// Changes to one table of the ledger that are not yet part of it. Overlays stack: what the upper
// one does not have is looked up in the one below, and at last in the table.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "foundation/base/check.h"

namespace hm::ledger {

template <class K, class V>
class Overlay {
 public:
  explicit Overlay(const std::map<K, V>& table) : table_(&table) {}
  // Over `below`, which must outlive this and stay as it is.
  explicit Overlay(const Overlay* below) : table_(below->table_), below_(below) {}

  // The row, or nullptr; valid until the row is edited or removed here or absorbed.
  const V* find(const K& key) const {
    const auto own = changes_.find(key);
    if (own != changes_.end()) return own->second ? &*own->second : nullptr;
    if (below_ != nullptr) return below_->find(key);
    const auto found = table_->find(key);
    return found == table_->end() ? nullptr : &found->second;
  }
  bool contains(const K& key) const { return find(key) != nullptr; }

  // A copy in this overlay, to write to. Requires: the row exists.
  V& edit(const K& key) {
    const auto place = changes_.lower_bound(key);
    if (place != changes_.end() && place->first == key) {
      HM_CHECK(place->second.has_value());
      return *place->second;
    }
    const V* found = find(key);
    HM_CHECK(found != nullptr);
    return *changes_.emplace_hint(place, key, *found)->second;
  }

  // The row to write to, made if it does not exist.
  V& edit_or_add(const K& key) { return contains(key) ? edit(key) : add(key, V{}); }

  // Requires: the row does not exist.
  V& add(const K& key, V value) {
    HM_CHECK(!contains(key));
    return *changes_.insert_or_assign(key, std::move(value)).first->second;
  }

  // Requires: the row exists.
  void remove(const K& key) {
    HM_CHECK(contains(key));
    changes_.insert_or_assign(key, std::nullopt);
  }

  // Of all rows that exist, in order. Reads the whole table.
  std::vector<K> keys() const {
    std::vector<K> found;
    if (below_ != nullptr) {
      found = below_->keys();
    } else {
      for (const auto& [key, value] : *table_) found.push_back(key);
    }
    for (const auto& [key, value] : changes_) found.push_back(key);
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::erase_if(found, [this](const K& key) { return !contains(key); });
    return found;
  }

  // Takes over what `above`, an overlay over this one, has.
  void absorb(Overlay&& above) {
    for (auto& [key, value] : above.changes_) changes_.insert_or_assign(key, std::move(value));
  }

  // What this overlay alone holds: new values, and nothing where a row was removed. A commit may
  // move the values out.
  std::map<K, std::optional<V>>& changes() { return changes_; }
  const std::map<K, std::optional<V>>& changes() const { return changes_; }

 private:
  const std::map<K, V>* table_;
  const Overlay* below_ = nullptr;
  std::map<K, std::optional<V>> changes_;
};

}  // namespace hm::ledger

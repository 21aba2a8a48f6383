// SPDX-License-Identifier: Apache-2.0
#include "ports/hardware_probe.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "foundation/base/utf8.h"

namespace hm::ports {
namespace {

auto order_of(const HardwareItem& item) { return std::tie(item.kind, item.key); }

bool same_thing(const HardwareItem& a, const HardwareItem& b) {
  return a.detected == b.detected && a.usable == b.usable && a.offerable == b.offerable &&
         a.descriptor == b.descriptor;
}

// Short enough, and UTF-8 without control characters: names of links and mount points may be any
// bytes, and this goes into records and onto terminals.
void cut_text(std::string& text) {
  if (text.size() > kMaxHardwareText) text.resize(kMaxHardwareText);
  const bool well_formed = is_utf8(text);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !well_formed)) c = '?';
  }
}

void cut_fields(HardwareFields& fields) {
  while (fields.size() > kMaxHardwareFields) fields.erase(std::prev(fields.end()));
  for (auto& [name, value] : fields) {
    if (auto* text = std::get_if<std::string>(&value)) cut_text(*text);
    if (auto* list = std::get_if<std::vector<std::string>>(&value)) {
      if (list->size() > kMaxHardwareListEntries) list->resize(kMaxHardwareListEntries);
      for (std::string& entry : *list) cut_text(entry);
    }
  }
}

}  // namespace

std::string_view name_of(HardwareKind kind) {
  switch (kind) {
    case HardwareKind::Cpu: return "cpu";
    case HardwareKind::Memory: return "memory";
    case HardwareKind::Storage: return "storage";
    case HardwareKind::Network: return "network";
    case HardwareKind::Gpu: return "gpu";
  }
  return "unknown";
}

std::string_view name_of(HardwareUnit unit) {
  switch (unit) {
    case HardwareUnit::Millicores: return "millicores";
    case HardwareUnit::Bytes: return "bytes";
    case HardwareUnit::BitsPerSecond: return "bits_per_second";
    case HardwareUnit::Devices: return "devices";
  }
  return "unknown";
}

HardwareUnit unit_of(HardwareKind kind) {
  switch (kind) {
    case HardwareKind::Cpu: return HardwareUnit::Millicores;
    case HardwareKind::Memory:
    case HardwareKind::Storage: return HardwareUnit::Bytes;
    case HardwareKind::Network: return HardwareUnit::BitsPerSecond;
    case HardwareKind::Gpu: return HardwareUnit::Devices;
  }
  return HardwareUnit::Devices;
}

void normalise(HardwareSnapshot& snapshot) {
  auto& items = snapshot.items;
  for (HardwareNote& note : snapshot.notes) cut_text(note.text);
  for (HardwareItem& item : items) {
    cut_text(item.key);
    cut_fields(item.descriptor);
    cut_fields(item.readings);
    if (item.detected && item.usable) item.usable = std::min(*item.usable, *item.detected);
  }
  std::ranges::stable_sort(items, {}, order_of);
  auto [first_twin, last] = std::ranges::unique(items, {}, order_of);
  items.erase(first_twin, last);
  if (items.size() > kMaxHardwareItems) {
    items.resize(kMaxHardwareItems);
    snapshot.notes.push_back(
        {items.back().kind, "more devices than a snapshot holds; the rest is left out"});
  }
  auto& notes = snapshot.notes;
  std::ranges::sort(notes, {}, [](const HardwareNote& n) { return std::tie(n.kind, n.text); });
  auto [note_twin, notes_end] = std::ranges::unique(notes);
  notes.erase(note_twin, notes_end);
}

const HardwareItem* find_item(const HardwareSnapshot& snapshot, HardwareKind kind,
                              std::string_view key) {
  for (const HardwareItem& item : snapshot.items) {
    if (item.kind == kind && item.key == key) return &item;
  }
  return nullptr;
}

HardwareChanges compare(const HardwareSnapshot& before, const HardwareSnapshot& after) {
  HardwareChanges changes;
  auto old_item = before.items.begin();
  auto new_item = after.items.begin();
  while (old_item != before.items.end() || new_item != after.items.end()) {
    if (old_item == before.items.end() ||
        (new_item != after.items.end() && order_of(*new_item) < order_of(*old_item))) {
      changes.appeared.push_back(*new_item++);
    } else if (new_item == after.items.end() || order_of(*old_item) < order_of(*new_item)) {
      changes.vanished.push_back(*old_item++);
    } else {
      if (!same_thing(*old_item, *new_item)) changes.changed.push_back(*new_item);
      ++old_item;
      ++new_item;
    }
  }
  return changes;
}

}  // namespace hm::ports

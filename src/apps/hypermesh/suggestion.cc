// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/suggestion.h"

#include <algorithm>

namespace hm::cli {
namespace {

constexpr std::size_t kMaxWord = 64;  // longer words are not typing mistakes

// Optimal string alignment distance: a swap of neighbours counts one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string suggestion_for(std::string_view word, const std::vector<std::string_view>& names) {
  if (word.empty() || word.size() > kMaxWord) return {};
  std::string_view best;
  std::size_t best_distance = kMaxWord;
  bool tie = false;
  for (const std::string_view name : names) {
    const std::size_t d = distance(word, name);
    if (d > std::max<std::size_t>(1, name.size() / 3)) continue;
    tie = d == best_distance;
    if (d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  return tie ? std::string() : std::string(best);
}

}  // namespace hm::cli

// SPDX-License-Identifier: Apache-2.0
#include "foundation/erasure/coder.h"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <bit>
#include <list>
#include <vector>

#include "foundation/base/check.h"

namespace hm::erasure {
namespace {

// The library's own form of a coefficient.
constexpr std::size_t kTableSize = 32;

using Matrix = std::vector<std::uint8_t>;  // row by row, k columns

// Row i of k to k + m - 1, column j: 1/(i ⊕ j), a Cauchy matrix, of which each column and then
// each row is divided by its first element. That keeps every square part regular, and makes the
// first row and the first column ones.
Matrix generator(Code code) {
  const std::size_t k = code.data;
  Matrix matrix(code.shards() * k, 0);
  const auto number = [](std::size_t i) { return static_cast<std::uint8_t>(i); };
  for (std::size_t i = 0; i < k; ++i) matrix[i * k + i] = 1;
  for (std::size_t i = k; i < code.shards(); ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      matrix[i * k + j] =
          gf_mul(gf_mul(number(k ^ j), number(i)), gf_inv(gf_mul(number(i ^ j), number(k))));
    }
  }
  return matrix;
}

std::vector<std::uint8_t> tables_of(const Matrix& rows, std::size_t k) {
  std::vector<std::uint8_t> tables(rows.size() * kTableSize);
  const std::size_t count = rows.size() / k;
  if (count == 0) return tables;
  // The library takes what it only reads as not const, throughout.
  ec_init_tables(static_cast<int>(k), static_cast<int>(count),
                 const_cast<std::uint8_t*>(rows.data()), tables.data());
  return tables;
}

// Rows times the sources, cell by cell.
void multiply(const std::vector<std::uint8_t>& tables, std::span<const ShardBytes> sources,
              std::span<const ShardSpace> into, std::size_t length) {
  std::array<std::uint8_t*, kMaxShards> from{};
  std::array<std::uint8_t*, kMaxShards> to{};
  for (std::size_t at = 0; at < length; at += kCell) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      from[i] = const_cast<std::uint8_t*>(sources[i]) + at;
    }
    for (std::size_t i = 0; i < into.size(); ++i) to[i] = into[i] + at;
    ec_encode_data(static_cast<int>(std::min(kCell, length - at)), static_cast<int>(sources.size()),
                   static_cast<int>(into.size()), const_cast<std::uint8_t*>(tables.data()),
                   from.data(), to.data());
  }
}

struct Pattern {
  std::uint64_t sources = 0;  // the k shards that are computed from
  std::uint64_t wanted = 0;

  bool operator==(const Pattern&) const = default;
};

struct Recovery {
  Pattern pattern;
  std::vector<std::uint8_t> tables;
};

}  // namespace

std::string Code::to_string() const { return std::to_string(data) + "+" + std::to_string(parity); }

struct Coder::State {
  Matrix matrix;
  std::vector<std::uint8_t> parity_tables;
  std::list<Recovery> recoveries;  // that used last in front

  const std::vector<std::uint8_t>& recovery(const Pattern& pattern, std::size_t k);
};

// What a wanted row of the generator is in terms of the sources: the row times the inverse of the
// sources' rows.
const std::vector<std::uint8_t>& Coder::State::recovery(const Pattern& pattern, std::size_t k) {
  const auto known = std::ranges::find(recoveries, pattern, &Recovery::pattern);
  if (known != recoveries.end()) {
    recoveries.splice(recoveries.begin(), recoveries, known);
    return recoveries.front().tables;
  }
  const auto rows_of = [&](std::uint64_t set) {
    Matrix rows;
    for (; set != 0; set &= set - 1) {
      const auto row = static_cast<std::size_t>(std::countr_zero(set));
      rows.insert(rows.end(), matrix.begin() + static_cast<std::ptrdiff_t>(row * k),
                  matrix.begin() + static_cast<std::ptrdiff_t>((row + 1) * k));
    }
    return rows;
  };
  Matrix sources = rows_of(pattern.sources);
  Matrix inverse(k * k);
  HM_CHECK(gf_invert_matrix(sources.data(), inverse.data(), static_cast<int>(k)) == 0);
  const Matrix wanted = rows_of(pattern.wanted);
  Matrix product(wanted.size(), 0);
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    for (std::size_t i = 0; i < k; ++i) {
      product[at] ^= gf_mul(wanted[at / k * k + i], inverse[i * k + at % k]);
    }
  }
  if (recoveries.size() == kCachedPatterns) recoveries.pop_back();
  recoveries.push_front({pattern, tables_of(product, k)});
  return recoveries.front().tables;
}

Coder::Coder(Code code) : code_(code), state_(std::make_unique<State>()) {
  HM_CHECK(code.is_valid());
  state_->matrix = generator(code);
  const Matrix parity(state_->matrix.begin() + std::ptrdiff_t{code.data} * code.data,
                      state_->matrix.end());
  state_->parity_tables = tables_of(parity, code.data);
}

Coder::~Coder() = default;
Coder::Coder(Coder&&) noexcept = default;
Coder& Coder::operator=(Coder&&) noexcept = default;

void Coder::encode(std::span<const ShardBytes> data, std::span<const ShardSpace> parity,
                   std::size_t length) const {
  HM_CHECK(data.size() == code_.data && parity.size() == code_.parity);
  if (!parity.empty()) multiply(state_->parity_tables, data, parity, length);
}

bool Coder::reconstruct(std::span<const ShardBytes> shards, std::span<const Wanted> wanted,
                        std::size_t length) {
  HM_CHECK(shards.size() == code_.shards());
  Pattern pattern;
  std::array<ShardBytes, kMaxShards> sources{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < shards.size() && count < code_.data; ++i) {
    if (shards[i] == nullptr) continue;
    pattern.sources |= std::uint64_t{1} << i;
    sources[count++] = shards[i];
  }
  if (count < code_.data) return false;
  if (wanted.empty()) return true;
  std::array<ShardSpace, kMaxShards> into{};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    HM_CHECK(wanted[i].index < shards.size() && shards[wanted[i].index] == nullptr);
    HM_CHECK(i == 0 || wanted[i - 1].index < wanted[i].index);
    pattern.wanted |= std::uint64_t{1} << wanted[i].index;
    into[i] = wanted[i].into;
  }
  multiply(state_->recovery(pattern, code_.data), std::span(sources).first(count),
           std::span(into).first(wanted.size()), length);
  return true;
}

}  // namespace hm::erasure

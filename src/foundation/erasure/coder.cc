// SPDX-License-Identifier: Apache-2.0
#include "foundation/erasure/coder.h"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <bit>
#include <list>
#include <vector>

#include "foundation/base/check.h"
#include "foundation/erasure/products_gfni.h"

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

// Rows of coefficients in the forms that multiplying takes.
struct Rows {
  std::vector<std::uint8_t> tables;     // ISA-L's
  std::vector<std::uint64_t> matrices;  // products_gfni.h; none where they are not used
};

bool has_gfni() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("gfni");
#else
  return false;
#endif
}

// Of a linear map, the columns of the matrix are what the powers of two become.
std::uint64_t bit_matrix(std::uint8_t coefficient) {
  std::uint64_t matrix = 0;
  for (unsigned b = 0; b < 8; ++b) {
    const unsigned column = gf_mul(coefficient, static_cast<std::uint8_t>(1U << b));
    for (unsigned i = 0; i < 8; ++i) {
      matrix |= std::uint64_t{(column >> i) & 1U} << (8 * (7 - i) + b);
    }
  }
  return matrix;
}

Rows prepared(const Matrix& rows, std::size_t k, bool with_gfni) {
  Rows out{std::vector<std::uint8_t>(rows.size() * kTableSize), {}};
  const std::size_t count = rows.size() / k;
  if (count == 0) return out;
  // The library takes what it only reads as not const, throughout.
  ec_init_tables(static_cast<int>(k), static_cast<int>(count),
                 const_cast<std::uint8_t*>(rows.data()), out.tables.data());
  if (with_gfni) {
    for (const std::uint8_t coefficient : rows) out.matrices.push_back(bit_matrix(coefficient));
  }
  return out;
}

// Rows times the sources, cell by cell.
void multiply(const Rows& rows, std::span<const ShardBytes> sources,
              std::span<const ShardSpace> into, std::size_t length) {
  std::array<std::uint8_t*, kMaxShards> from{};
  std::array<std::uint8_t*, kMaxShards> to{};
  for (std::size_t at = 0; at < length;) {
    std::size_t now = std::min(kCell, length - at);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      from[i] = const_cast<std::uint8_t*>(sources[i]) + at;
    }
    for (std::size_t i = 0; i < into.size(); ++i) to[i] = into[i] + at;
#if defined(__x86_64__)
    if (!rows.matrices.empty() && now >= kGfniStep) {
      now -= now % kGfniStep;
      multiply_gfni(rows.matrices.data(), from.data(), sources.size(), to.data(), into.size(), now);
      at += now;
      continue;
    }
#endif
    ec_encode_data(static_cast<int>(now), static_cast<int>(sources.size()),
                   static_cast<int>(into.size()), const_cast<std::uint8_t*>(rows.tables.data()),
                   from.data(), to.data());
    at += now;
  }
}

struct Pattern {
  std::uint64_t sources = 0;  // the k shards that are computed from
  std::uint64_t wanted = 0;

  bool operator==(const Pattern&) const = default;
};

struct Recovery {
  Pattern pattern;
  Rows rows;
};

}  // namespace

std::string Code::to_string() const { return std::to_string(data) + "+" + std::to_string(parity); }

struct Coder::State {
  bool with_gfni;
  Matrix matrix;
  Rows parity;
  std::list<Recovery> recoveries;  // that used last in front

  const Rows& recovery(const Pattern& pattern, std::size_t k);
};

// What a wanted row of the generator is in terms of the sources: the row times the inverse of the
// sources' rows.
const Rows& Coder::State::recovery(const Pattern& pattern, std::size_t k) {
  const auto known = std::ranges::find(recoveries, pattern, &Recovery::pattern);
  if (known != recoveries.end()) {
    recoveries.splice(recoveries.begin(), recoveries, known);
    return recoveries.front().rows;
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
  recoveries.push_front({pattern, prepared(product, k, with_gfni)});
  return recoveries.front().rows;
}

Coder::Coder(Code code, crypto::Backend backend) : code_(code), state_(std::make_unique<State>()) {
  HM_CHECK(code.is_valid());
  state_->with_gfni = backend == crypto::Backend::Avx512 && has_gfni();
  state_->matrix = generator(code);
  const Matrix parity(state_->matrix.begin() + std::ptrdiff_t{code.data} * code.data,
                      state_->matrix.end());
  state_->parity = prepared(parity, code.data, state_->with_gfni);
}

Coder::~Coder() = default;
Coder::Coder(Coder&&) noexcept = default;
Coder& Coder::operator=(Coder&&) noexcept = default;

void Coder::encode(std::span<const ShardBytes> data, std::span<const ShardSpace> parity,
                   std::size_t length) const {
  HM_CHECK(data.size() == code_.data && parity.size() == code_.parity);
  if (!parity.empty()) multiply(state_->parity, data, parity, length);
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

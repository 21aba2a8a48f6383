// SPDX-License-Identifier: Apache-2.0
// Where a command writes: data to standard output, talk to standard error. Colour only on a
// terminal, and not where NO_COLOR is set. Text from the mesh is stripped of control characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/hypermesh/failure.h"

namespace hm::cli {

enum class Style : std::uint8_t { Plain, Bold, Dim, Good, Warn, Bad };

class Terminal {
 public:
  // Asks the environment whether standard output and standard error are terminals.
  static Terminal from_environment();
  explicit Terminal(bool colour_out, bool colour_err)
      : colour_out_(colour_out), colour_err_(colour_err) {}

  // One line of data.
  void data(std::string_view line) const;
  // One line of talk.
  void talk(std::string_view line) const;
  // Three lines: what, why, what to do.
  void fail(const Failure& failure) const;

  std::string styled(Style style, std::string_view text) const;

  // Columns are as wide as their widest cell; the last is not padded. `style_of` may colour a cell.
  struct Cell {
    std::string text;
    Style style = Style::Plain;
  };
  void table(const std::vector<std::string>& heads,
             const std::vector<std::vector<Cell>>& rows) const;

 private:
  bool colour_out_;
  bool colour_err_;
};

// What a terminal may show of foreign text: control characters become '?'.
std::string printable(std::string_view text);

// Width on a terminal, counting a code point as one column.
std::size_t display_width(std::string_view text);

}  // namespace hm::cli

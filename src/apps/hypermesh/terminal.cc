// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "foundation/base/utf8.h"

namespace hm::cli {
namespace {

std::string_view escape_of(Style style) {
  switch (style) {
    case Style::Plain: return "";
    case Style::Bold: return "\x1b[1m";
    case Style::Dim: return "\x1b[2m";
    case Style::Good: return "\x1b[32m";
    case Style::Warn: return "\x1b[33m";
    case Style::Bad: return "\x1b[31m";
  }
  return "";
}

std::string coloured(bool colour, Style style, std::string_view text) {
  if (!colour || style == Style::Plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(style), text);
}

void write_line(std::FILE* file, std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
  std::fflush(file);
}

}  // namespace

Terminal Terminal::from_environment() {
  // https://no-color.org: present and not empty, whatever its value.
  const char* no_color = std::getenv("NO_COLOR");
  const bool allowed = no_color == nullptr || *no_color == '\0';
  return Terminal(allowed && ::isatty(STDOUT_FILENO) == 1, allowed && ::isatty(STDERR_FILENO) == 1);
}

void Terminal::data(std::string_view line) const { write_line(stdout, line); }

void Terminal::talk(std::string_view line) const { write_line(stderr, line); }

void Terminal::fail(const Failure& failure) const {
  const Failure whole = completed(failure);
  talk(coloured(colour_err_, Style::Bad, "error: ") + printable(whole.what));
  talk("  why: " + printable(whole.why));
  talk("  try: " + printable(whole.to_do));
}

std::string Terminal::styled(Style style, std::string_view text) const {
  return coloured(colour_out_, style, text);
}

void Terminal::table(const std::vector<std::string>& heads,
                     const std::vector<std::vector<Cell>>& rows) const {
  std::vector<std::size_t> widths;
  for (const std::string& head : heads) widths.push_back(display_width(head));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  const auto print = [&](const auto& text_of, const auto& style_of) {
    std::string line;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const std::string text = text_of(i);
      line += styled(style_of(i), text);
      if (i + 1 < heads.size()) line.append(widths[i] - display_width(text) + 2, ' ');
    }
    data(line);
  };
  print([&](std::size_t i) { return heads[i]; }, [](std::size_t) { return Style::Bold; });
  for (const auto& row : rows) {
    print([&](std::size_t i) { return i < row.size() ? printable(row[i].text) : std::string(); },
          [&](std::size_t i) { return i < row.size() ? row[i].style : Style::Plain; });
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const bool utf8 = is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // C1 controls are U+0080 to U+009F, in UTF-8 0xC2 0x80 to 0xC2 0x9F.
    const bool c1 = utf8 && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8) || c1) {
      out.push_back('?');
      if (c1) ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace hm::cli

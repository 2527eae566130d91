// Lines of plain and compressed files.
#include "attune/files/line_reader.h"

#include <zlib.h>

#include <vector>

#include "attune/files/storage.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using attune::files::LineReader;
using attune::files::read_text;
using attune::testing::TemporaryFolder;

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
    CHECK(reader.line_number() == static_cast<std::int64_t>(lines.size()));
  }
  return lines;
}

std::string gzip(const TemporaryFolder& folder, const std::string& text) {
  const std::string path = folder / "scratch.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return attune::files::read_file(path);
}

}  // namespace

TEST_CASE("lines end with LF or CRLF and the last may have no end", "[files][lines]") {
  const TemporaryFolder folder;
  using Lines = std::vector<std::string>;
  CHECK(lines_of(folder.write("a", "")).empty());
  CHECK(lines_of(folder.write("a", "one")) == Lines{"one"});
  CHECK(lines_of(folder.write("a", "one\n")) == Lines{"one"});
  CHECK(lines_of(folder.write("a", "one\r\n\r\ntwo\rx\n\n")) == Lines{"one", "", "two\rx", ""});
  CHECK(lines_of(folder.write("a", "one\r")) == Lines{"one\r"});
}

TEST_CASE("a byte-order mark is skipped and UTF-16 refused", "[files][lines]") {
  const TemporaryFolder folder;
  CHECK(lines_of(folder.write("a", "\xef\xbb\xbfone\n\xef\xbb\xbftwo")) ==
        std::vector<std::string>{"one", "\xef\xbb\xbftwo"});
  CHECK_RAISES(lines_of(folder.write("a", std::string("\xff\xfe"
                                                      "a\0",
                                                      4))),
               data, "the text is UTF-16, expected UTF-8");
}

TEST_CASE("the first bytes decide whether a file is gzip", "[files][lines]") {
  const TemporaryFolder folder;
  const std::string packed = gzip(folder, "one\ntwo\n") + gzip(folder, "three");
  CHECK(lines_of(folder.write("rows.jsonl", packed)) == std::vector<std::string>{"one", "two", "three"});
  CHECK(lines_of(folder.write("rows.gz", "plain\n")) == std::vector<std::string>{"plain"});
}

TEST_CASE("lines longer than the buffer are read whole", "[files][lines]") {
  const TemporaryFolder folder;
  const std::string a(300'000, 'a'), b(262'143, 'b'), c(262'144, 'c');
  const std::string text = a + "\r\n" + b + "\n" + c;
  CHECK(lines_of(folder.write("a", text)) == std::vector<std::string>{a, b, c});
  CHECK(lines_of(folder.write("a", gzip(folder, text))) == std::vector<std::string>{a, b, c});
  CHECK(read_text(folder / "a") == text);
}

TEST_CASE("every cut of a gzip file is an error", "[files][lines]") {
  const TemporaryFolder folder;
  const std::string packed = gzip(folder, "one\ntwo\nthree\n");
  for (std::size_t length = 2; length < packed.size(); ++length) {
    INFO("cut at " << length << " of " << packed.size());
    CHECK_RAISES(lines_of(folder.write("a", packed.substr(0, length))), data, "truncated file?");
  }
}

TEST_CASE("damaged gzip data is an error", "[files][lines]") {
  const TemporaryFolder folder;
  std::string packed = gzip(folder, "one\ntwo\nthree\n");
  packed[packed.size() - 8] ^= 1;  // the checksum
  CHECK_RAISES(read_text(folder.write("a", packed)), data, "damaged gzip data");
}

TEST_CASE("lines and texts have a limit", "[files][lines][slow]") {
  const TemporaryFolder folder;
  folder.write("a", gzip(folder, "short\n" + std::string(LineReader::kMaxLineBytes, 'x')));
  CHECK(lines_of(folder / "a").at(1).size() == LineReader::kMaxLineBytes);
  folder.write("b", gzip(folder, "short\n" + std::string(LineReader::kMaxLineBytes + 1, 'x')));
  CHECK_RAISES(lines_of(folder / "b"), data, "b:2: the line is longer than 100000000 bytes");
  CHECK_RAISES(read_text(folder / "b", 1000), data, "the text is longer than 1000 bytes");
}

TEST_CASE("folders and missing files have no lines", "[files][lines]") {
  const TemporaryFolder folder;
  CHECK_RAISES(LineReader(folder.path()), data, "this is a folder");
  CHECK_RAISES(LineReader(folder / "none"), data, "No such file");
}

// See encode_rows.h.
#include "job/encode_rows.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <span>
#include <thread>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/parallel.h"
#include "attune/base/strings.h"

namespace attune::job {

namespace {

/// Neighbouring examples that one thread encodes at once.
struct Piece {
  std::size_t begin = 0, end = 0;
  std::vector<task::Encoded> encoded = {};
  std::vector<std::pair<std::size_t, std::string>> bad = {};  ///< example, what is wrong with it
};

std::size_t bytes_of(const data::Example& example) {
  return example.text.size() + example.text_pair.size() + example.messages.size();
}

/// The pieces from example `begin` on, at most `count`: so small that the tokenizer starts no threads of its own inside, so
/// large that a template is parsed once for many chats.
std::vector<Piece> pieces_from(std::size_t begin, std::size_t count, const std::vector<data::Example>& examples) {
  constexpr std::size_t kBytes = 32 << 10, kExamples = 1024;
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  for (std::size_t i = begin; i < examples.size(); ++i) {
    if (pieces.empty() || bytes >= kBytes || i - pieces.back().begin >= kExamples) {
      if (pieces.size() == count) break;
      pieces.push_back({.begin = i, .end = i});
      bytes = 0;
    }
    pieces.back().end = i + 1;
    bytes += bytes_of(examples[i]);
  }
  return pieces;
}

bool concerns_one_row(const Error& error) {
  return error.kind() == ErrorKind::data || dynamic_cast<const task::RowError*>(&error) != nullptr;
}

class Encoder {
 public:
  Encoder(const std::vector<data::Example>& examples, const Encoding& encoding)
      : examples_(examples), encoding_(encoding) {}

  /// An error tells of the first bad row, or bad rows are kept in the piece.
  void encode(Piece& piece) const {
    try {
      return add(piece, piece.begin, piece.end);
    } catch (const Error& error) {
      if (!encoding_.skips_bad_rows || !concerns_one_row(error)) throw;
    }
    for (std::size_t i = piece.begin; i < piece.end; ++i) {
      try {
        add(piece, i, i + 1);
      } catch (const Error& error) {
        if (!concerns_one_row(error)) throw;
        piece.bad.emplace_back(i, error.what());
      }
    }
  }

 private:
  void add(Piece& piece, std::size_t begin, std::size_t end) const {
    const auto some = std::span(examples_).subspan(begin, end - begin);
    for (task::Encoded& row : encoding_.task.encode(some, encoding_.tokenizer)) {
      row.example += static_cast<std::int64_t>(begin);
      piece.encoded.push_back(std::move(row));
    }
  }

  const std::vector<data::Example>& examples_;
  const Encoding& encoding_;
};

std::size_t core_count() { return std::max(1u, std::thread::hardware_concurrency()); }

void encode_pieces(std::vector<Piece>& pieces, const Encoder& encoder, const Encoding& encoding) {
  const std::thread::id caller = std::this_thread::get_id();
  const std::size_t cores = core_count();
  std::atomic<std::int64_t> done{static_cast<std::int64_t>(pieces.front().begin)};
  parallel_runs(pieces.size(), {.threads = std::clamp<std::size_t>(pieces.size(), 1, cores)},
                [&](std::size_t& i, std::size_t end) {
                  for (; i < end; ++i) {
                    encoder.encode(pieces[i]);
                    const auto count = static_cast<std::int64_t>(pieces[i].end - pieces[i].begin);
                    const std::int64_t now = done.fetch_add(count) + count;
                    if (encoding.progress && std::this_thread::get_id() == caller) encoding.progress(now);
                  }
                });
}

/// Each file once, in the order of the examples.
std::vector<std::string> files_of(const std::vector<data::Example>& examples) {
  std::vector<std::string> files;
  for (const data::Example& example : examples) {
    const std::string& file = example.origin.file;
    if (files.empty() || (files.back() != file && std::ranges::find(files, file) == files.end())) files.push_back(file);
  }
  return files;
}

/// Puts bad examples among the rows that reading passed over, by file and line.
void list_also(std::vector<data::SkippedRow> bad, const std::vector<std::string>& files, data::ReadReport& report) {
  std::vector<data::SkippedRow>& listed = report.skipped_rows;
  std::ranges::move(bad, std::back_inserter(listed));
  const auto place = [&](const data::SkippedRow& row) {
    return std::pair(std::ranges::find(files, static_cast<const std::string&>(row.origin.file)), row.origin.line);
  };
  std::ranges::stable_sort(listed, {}, place);
  if (listed.size() > data::ReadReport::kMaxListed) listed.resize(data::ReadReport::kMaxListed);
}

/// Takes the bad examples out; `encoded` then counts without them.
void leave_out(const std::vector<std::size_t>& bad, Rows& rows) {
  std::vector<std::int64_t> places;
  std::vector<data::Example> kept;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rows.examples.size(); ++i) {
    places.push_back(static_cast<std::int64_t>(kept.size()));
    if (next < bad.size() && bad[next] == i) {
      ++next;
    } else {
      kept.push_back(std::move(rows.examples[i]));
    }
  }
  rows.examples = std::move(kept);
  for (task::Encoded& row : rows.encoded) row.example = places[static_cast<std::size_t>(row.example)];
}

}  // namespace

std::int64_t encode_rows(Rows& rows, const Encoding& encoding, data::ReadReport& report) {
  // Some pieces at a time, so that rows do not lie in pieces and in the result at once.
  constexpr std::size_t kPiecesACore = 32;
  const Encoder encoder(rows.examples, encoding);
  std::vector<std::size_t> bad;
  std::vector<data::SkippedRow> told;
  rows.encoded.clear();
  rows.encoded.reserve(rows.examples.size());
  for (std::size_t begin = 0; begin < rows.examples.size();) {
    std::vector<Piece> pieces = pieces_from(begin, kPiecesACore * core_count(), rows.examples);
    encode_pieces(pieces, encoder, encoding);
    if (!encoding.keeps_texts) forget_texts(rows, begin, pieces.back().end);
    begin = pieces.back().end;
    for (Piece& piece : pieces) {
      std::ranges::move(piece.encoded, std::back_inserter(rows.encoded));
      for (const auto& [example, what] : piece.bad) {
        bad.push_back(example);
        if (told.size() < data::ReadReport::kMaxListed) told.push_back({.origin = rows.examples[example].origin, .message = what});
      }
    }
  }
  if (bad.empty()) return 0;
  const std::vector<std::string> files = files_of(rows.examples);
  report.skipped += static_cast<std::int64_t>(bad.size());
  list_also(std::move(told), files, report);
  leave_out(bad, rows);
  if (rows.empty()) throw data::no_usable_row(files, report.skipped, report.skipped_rows.front());
  return static_cast<std::int64_t>(bad.size());
}

void forget_texts(Rows& rows, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    data::Example& example = rows.examples[i];
    std::string().swap(example.text);  // (an assignment would keep the memory)
    for (auto* text : {&example.text_pair, &example.messages, &example.tools}) text->reset();
    for (auto* ids : {&example.input_ids, &example.token_type_ids}) ids->reset();
    example.words.reset();
  }
}

void warn_of_skipped(const data::ReadReport& report, const std::string& split) {
  if (report.skipped == 0) return;
  log::warning(concat(split, ": ", report.skipped, report.skipped == 1 ? " bad row was" : " bad rows were",
                      " skipped (data.on_bad_row)"));
  for (const data::SkippedRow& row : report.skipped_rows) log::warning(row.message);
}

}  // namespace attune::job

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sluice/cli/args.h"
#include "sluice/cli/description.h"

namespace sluice {

/// The option by which each tool shows how far it has come.
inline constexpr std::array progress_rows = {
    ArgumentRow{.name = "progress",
                .help = "show on standard error how far it has come, and the totals at the end"},
};

inline constexpr std::array<std::string_view, 3> progress_paragraphs = {
    "With --progress a line on standard error tells twice a second how many bytes have come, the rate of the "
    "last "
    "three seconds, the average, and the time since it began; and of files, whose size is known, how much of "
    "it is "
    "done and when the rest will be (ETA). Units are those of the SI: 1 kB is 1000 bytes. A narrow terminal "
    "gets "
    "what matters most.",
    "The line is drawn only on a terminal, only while this process is in its foreground, and not where the "
    "data "
    "goes to the same terminal. Messages are written above it. At the end, also where standard error is no "
    "terminal, one line without control characters has the totals; a process that SIGINT or SIGTERM ends "
    "writes "
    "it too.",
    "In a pipeline, each program that is given it takes a line of its own, one below the other.",
};

inline constexpr Section progress_section = {.title = "PROGRESS", .paragraphs = progress_paragraphs};

/// How many bytes reading a file gives, where it knows. What cannot be read has none.
std::optional<std::uint64_t> bytes_of_file(const std::string& path);
/// How many bytes reading these files gives, where all know; `-`, and no file at all, is standard input.
std::optional<std::uint64_t> bytes_of_files(std::span<const std::string> names);

/// Whether a filter's line would mix with what it reads from these files or, if `writes`, writes to standard
/// output.
bool mixes_with_progress(std::span<const std::string> names, bool writes);

}  // namespace sluice

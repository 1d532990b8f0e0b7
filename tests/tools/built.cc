#include <cstdlib>

#include "run.h"

// The one file that knows where the build folder is, so that the others compile to the same in every folder.
namespace sluice::test {
namespace {

/// A file of the build, in the folder that a variable of the environment names, else where the build has it.
std::string built(const char* variable, const char* usual_folder, std::string_view name) {
  const char* const folder = std::getenv(variable);
  return (folder != nullptr ? folder : std::string(SLUICE_BUILD "/") + usual_folder) + '/' +
         std::string(name);
}

}  // namespace

std::string tool(std::string_view name) { return built("SLUICE_TOOLS", "tools", name); }

std::string example(std::string_view name) {
  return built("SLUICE_EXAMPLES", "examples", "example-" + std::string(name));
}

std::string helper(std::string_view name) { return SLUICE_BUILD "/tests/tools/" + std::string(name); }

bool under_sanitizers() {
  // The tools may be those of another build.
  const char* const tools = std::getenv("SLUICE_SANITIZERS");
  return std::string_view(tools != nullptr ? tools : SLUICE_BUILD_SANITIZERS) != "none";
}

}  // namespace sluice::test

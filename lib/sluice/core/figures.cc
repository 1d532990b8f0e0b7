#include "sluice/core/figures.h"

#include <cstdio>

namespace sluice {

std::string hexadecimal(unsigned long value, int digits) {
  char text[32];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%0*lx", digits, value))};
}

std::string hexadecimal(ConstBytes bytes) {
  std::string text;
  for (const char byte : bytes) text += hexadecimal(static_cast<unsigned char>(byte), 2);
  return text;
}

std::string date_text(std::time_t moment) {
  std::tm parts{};
  ::localtime_r(&moment, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &parts)};
}

}  // namespace sluice

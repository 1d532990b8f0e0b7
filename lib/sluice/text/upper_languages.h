#pragma once

#include <memory>

#include "sluice/text/filter.h"
#include "sluice/text/kernels.h"

/// Upper case in languages where it depends on the characters around, or where one becomes something else.
namespace sluice {

/// Lithuanian: a dot above (U+0307) vanishes behind a soft-dotted character and marks that are not above.
/// Source: SpecialCasing.txt, "lt After_Soft_Dotted".
std::unique_ptr<Filter> lithuanian_upper(const UpperVariant& variant);

/// Greek as it is written in capitals: letters lose accents and breathings, keep a dialytika, and get one
/// where the accent of the vowel before had kept the two apart (άυ: ΑΫ). ή alone (or) keeps its accent.
/// Source: CLDR's el-Upper transform, which ICU implements.
std::unique_ptr<Filter> greek_upper(const UpperVariant& variant);

/// Armenian: the ligature և is yech and vev in capitals (ԵՎ), not yech and yiwn. Source: CLDR's hy-Upper
/// transform.
std::unique_ptr<Filter> armenian_upper(const UpperVariant& variant);

}  // namespace sluice

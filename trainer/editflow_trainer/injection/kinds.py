"""Which finder makes which kind of bug, and how often each kind is drawn by default."""

from collections.abc import Mapping
from types import MappingProxyType

from editflow_trainer.injection import kinds_calls as calls
from editflow_trainer.injection import kinds_names as names
from editflow_trainer.injection import kinds_operators as operators
from editflow_trainer.injection import kinds_statements as statements
from editflow_trainer.injection import kinds_syntax as syntax
from editflow_trainer.injection import kinds_values as values
from editflow_trainer.injection.bug import BugKind
from editflow_trainer.injection.edit import Finder

# The second column weighs the draw. What a kind gets in the end depends on how many functions have a place
# for it: over the standard library these weights give 48 % visible bugs (each of their kinds 2 to 7 %); the
# rest is about 8 % each for conditions, literals, arguments, 6 % for attributes, 4 % for guards and calls.
_TABLE: dict[BugKind, tuple[Finder, float]] = {
    BugKind.wrong_comparison: (operators.wrong_comparison, 4.5),
    BugKind.wrong_binary_operator: (operators.wrong_binary_operator, 3.0),
    BugKind.wrong_boolean_operator: (operators.wrong_boolean_operator, 4.5),
    BugKind.wrong_augmented_operator: (operators.wrong_augmented_operator, 0.5),
    BugKind.negation: (operators.negation, 4.5),
    BugKind.variable_misuse: (names.variable_misuse, 2.5),
    BugKind.argument_swap: (calls.argument_swap, 1.0),
    BugKind.wrong_literal: (values.wrong_literal, 4.5),
    BugKind.off_by_one: (values.off_by_one, 6.5),
    BugKind.wrong_attribute: (names.wrong_attribute, 2.5),
    BugKind.missing_not: (operators.missing_not, 4.0),
    BugKind.extra_not: (operators.extra_not, 1.5),
    BugKind.missing_return: (statements.missing_return, 0.5),
    BugKind.missing_await: (statements.missing_await, 1.5),
    BugKind.missing_self: (names.missing_self, 0.3),
    BugKind.missing_guard: (statements.missing_guard, 8.0),
    BugKind.missing_argument: (calls.missing_argument, 3.0),
    BugKind.extra_argument: (calls.extra_argument, 0.2),
    BugKind.missing_call: (calls.missing_call, 2.0),
    BugKind.missing_colon: (syntax.missing_colon, 3.0),
    BugKind.missing_bracket: (syntax.missing_bracket, 4.0),
    BugKind.extra_bracket: (syntax.extra_bracket, 2.0),
    BugKind.missing_quote: (syntax.missing_quote, 6.0),
    BugKind.missing_comma: (syntax.missing_comma, 3.5),
    BugKind.broken_keyword: (syntax.broken_keyword, 3.0),
    BugKind.misspelt_name: (names.misspelt_name, 4.5),
    BugKind.undefined_name: (names.undefined_name, 7.0),
    BugKind.missing_equals: (operators.missing_equals, 9.5),
    BugKind.wrong_indentation: (syntax.wrong_indentation, 2.5),
}

FINDERS: Mapping[BugKind, Finder] = MappingProxyType({kind: finder for kind, (finder, _) in _TABLE.items()})
DEFAULT_WEIGHTS: Mapping[BugKind, float] = MappingProxyType(
    {kind: share for kind, (_, share) in _TABLE.items()}
)

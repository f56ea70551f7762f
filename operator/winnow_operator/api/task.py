"""What one trial runs: a task of the shared trainer, or an image of the user's own."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from winnow_contract.uris import BUILTIN_DATA
from winnow_operator.api.fields import ApiModel, DecimalString, ParameterName, Word
from winnow_operator.api.rules import (
    INSIDE_CLAIM,
    Rule,
    atomic_list,
    limit,
    named_list,
    no_decimals,
    rules,
    said,
)

DEFAULT_VALIDATION = "0.2"
"""Share of the validation split where neither it nor folds are given."""

_BUILTIN_NAMES = ", ".join(BUILTIN_DATA)
_BUILTIN_URIS = ", ".join(f"'builtin://{name}'" for name in BUILTIN_DATA)

_KNOWN_DATA = Rule(
    f"self.uri.startsWith('pvc://') || self.uri in [{_BUILTIN_URIS}]",
    f"uri must be builtin:// with one of {_BUILTIN_NAMES}, or pvc://CLAIM/PATH",
    said(
        f"uri is %s, allowed are builtin:// with one of {_BUILTIN_NAMES}, and pvc://CLAIM/PATH of "
        "a CSV or NPZ file",
        "self.uri",
    ),
    ".uri",
)
_DATA_FILE = Rule(
    "!self.uri.startsWith('pvc://') || "
    r"self.uri.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[^/].*[.](?i:csv|npz)$')",
    "uri must be pvc://CLAIM/PATH of a file that ends with .csv or .npz",
    said(
        "uri is %s, it must be pvc://CLAIM/PATH of a file that ends with .csv or .npz", "self.uri"
    ),
    ".uri",
)
_CSV_TARGET = Rule(
    "!self.uri.matches('^pvc://.*[.](?i:csv)$') || self.target != ''",
    "target is empty, a CSV file needs the name of the column to predict",
    said("target is empty, %s needs the name of the column to predict", "self.uri"),
    ".target",
)
_BUILTIN_TARGET = Rule(
    "!self.uri.startsWith('builtin://') || self.target == ''",
    "target must be left out, builtin data has its own",
    said("target is %s, it must be left out: %s has its own", "self.target", "self.uri"),
    ".target",
)


def _share_rule(name: str) -> Rule:
    return Rule(
        f"!has(self.{name}) || {no_decimals(f'self.{name}')} || "
        f"(double(self.{name}) > 0.0 && double(self.{name}) < 1.0)",
        f"{name} must be a share between 0 and 1, such as 0.2",
        said(f"{name} is %s, allowed are shares between 0 and 1, such as 0.2", f"self.{name}"),
        f".{name}",
    )


_SHARES_LEAVE_ROOM = Rule(
    f"!has(self.validation) || {no_decimals('self.test', 'self.validation')} || "
    "double(self.test) + double(self.validation) < 1.0",
    "test and validation together must be below 1, the rest is what is trained on",
    said(
        "test is %s and validation is %s, together they must be below 1: the rest is what is "
        "trained on",
        "self.test",
        "self.validation",
    ),
)


_DEFAULT_ROOM = Rule(
    f"has(self.validation) || has(self.folds) || {no_decimals('self.test')} || "
    f"double(self.test) + {DEFAULT_VALIDATION} < 1.0",
    f"test must be below {1 - float(DEFAULT_VALIDATION):g} where validation is left out",
    said(
        f"test is %s and validation is {DEFAULT_VALIDATION} where it is left out, together they must "
        "be below 1: the rest is what is trained on",
        "self.test",
    ),
    ".test",
)
_FOLDS_OR_SHARE = Rule(
    "!has(self.folds) || !has(self.validation)",
    "give folds or validation, not both: each fold is the validation split once",
    said(
        "folds is %s and validation is %s: keep one, for each fold is the validation split once",
        "self.folds",
        "self.validation",
    ),
)


_FOLDS_TO_SPREAD = Rule(
    "!has(self.foldsPerPod) || (has(self.folds) && self.foldsPerPod < self.folds)",
    "foldsPerPod must be less than folds",
    said(
        "foldsPerPod is %s and folds is %s: it must be less, or left out",
        "self.foldsPerPod",
        "has(self.folds) ? dyn(self.folds) : dyn('missing')",
    ),
    ".foldsPerPod",
)


_LEVEL = limit("pairedTest", "{0} > 0.0 && {0} <= 0.5", "levels above 0 and up to 0.5")
_FOLDS_TO_TEST = Rule(
    "!has(self.pairedTest) || (has(self.folds) && self.folds > 2 && !has(self.foldsPerPod))",
    "pairedTest needs at least 3 folds, all in one pod",
    said(
        "pairedTest needs at least 3 folds, all in one pod: folds is %s, foldsPerPod is %s",
        "has(self.folds) ? dyn(self.folds) : dyn('missing')",
        "has(self.foldsPerPod) ? dyn(self.foldsPerPod) : dyn('left out')",
    ),
    ".pairedTest",
)


class Family(StrEnum):
    """Model families of the shared trainer."""

    MLP = "MLP"
    CNN = "CNN"
    RESNET = "ResNet"
    TRANSFORMER = "Transformer"


class DataKind(StrEnum):
    """What the target column holds."""

    AUTO = "Auto"
    CLASSIFICATION = "Classification"
    REGRESSION = "Regression"


class Setting(ApiModel):
    """A setting of the model or its training that is the same for all trials."""

    name: ParameterName
    """Name of the setting, such as `epochs`; docs/settings.md lists them."""
    value: str = Field(max_length=256)
    """Its value as text, such as `"20"`."""


class Model(ApiModel):
    """What is trained."""

    family: Family
    """MLP (fully connected), CNN (convolutions), ResNet (residual blocks of convolutions, as
    ResNet-18) or Transformer (attention between the lines of an image, or the columns of a
    table)."""
    settings: tuple[Setting, ...] = Field(
        default=(), max_length=32, json_schema_extra=named_list("name")
    )
    """Settings that are the same for all trials; a searched parameter may not repeat one."""


class Data(ApiModel):
    """What it is trained on."""

    model_config = ConfigDict(
        json_schema_extra=rules(_KNOWN_DATA, _DATA_FILE, INSIDE_CLAIM, _CSV_TARGET, _BUILTIN_TARGET)
    )

    uri: str = Field(min_length=1, max_length=512)
    """`builtin://NAME` (digits, breast_cancer, wine, diabetes, mnist5k) or
    `pvc://CLAIM/PATH` of a CSV file with a header, or an NPZ file with arrays X and y."""
    target: str = Field(default="", max_length=128)
    """Name of the CSV's column, or of the NPZ's array (else y), that is predicted."""
    kind: DataKind = DataKind.AUTO
    """Whether the target is a class or a number; Auto decides from the data."""


class Evaluation(ApiModel):
    """How the data is split; train, validation and test are fixed before the first trial."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            _share_rule("test"),
            _share_rule("validation"),
            _SHARES_LEAVE_ROOM,
            _DEFAULT_ROOM,
            _FOLDS_OR_SHARE,
            _FOLDS_TO_SPREAD,
            _LEVEL,
            _FOLDS_TO_TEST,
        )
    )

    test: DecimalString = "0.2"
    """Share of the data that is kept for the final figure; nothing that chooses reads it."""
    validation: DecimalString | None = None
    """Share of the data on which trials are compared, 0.2 unless given; not with folds."""
    folds: int | None = Field(default=None, ge=2, le=20)
    """Cross-validation in place of one validation split: what is not test data is dealt into so many
    parts, classes evenly, and a trial trains once for each of them, one after the other in its pod.
    Its value is the mean, with the standard error of that mean. The winner is trained once more,
    with the first fold as its validation split; that model is the one to keep."""
    folds_per_pod: int | None = Field(default=None, ge=1, le=19)
    """Spreads the folds of a trial over pods, so many in each; left out, one pod trains them all."""
    paired_test: DecimalString | None = None
    """Stops trials after some of their folds that are surely worse than the best one so far: level of a
    one-sided paired t-test over the folds, such as 0.05; left out, all folds are trained."""
    repeats: int = Field(default=1, ge=1, le=10)
    """How often a trial trains, each time with another seed: its value is the mean, with the standard
    error of that mean, and its model that of the median training. With folds, how often each fold."""
    seed: int = Field(default=0, ge=0, le=2_147_483_647)
    """Seed of the split."""


class Task(ApiModel):
    """What the shared trainer image trains, on what, and how it is judged."""

    model: Model
    """The model family and its fixed settings."""
    data: Data
    """The data set."""
    evaluation: Evaluation = Evaluation()
    """The split into train, validation and test."""


class OwnTrial(ApiModel):
    """A container image of the user's own that follows the trial contract."""

    image: str = Field(
        min_length=1, max_length=512, pattern=r"^[A-Za-z0-9\[][A-Za-z0-9._:/@\[\]-]*$"
    )
    """The image; docs/trial-contract.md says what it must do."""
    command: tuple[Word, ...] = Field(default=(), max_length=32, json_schema_extra=atomic_list())
    """Entry point, instead of the image's own."""
    args: tuple[Word, ...] = Field(default=(), max_length=64, json_schema_extra=atomic_list())
    """Arguments, instead of the image's own."""

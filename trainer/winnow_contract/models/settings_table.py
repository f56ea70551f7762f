"""The table of all settings, from which docs/settings.md is written."""

from __future__ import annotations

from winnow_contract.models.nets import ACTIVATIONS, NORMS
from winnow_contract.models.setting import CNN, MLP, RESNET, TRANSFORMER, Kind, Setting

TABLE = (
    Setting(
        "depth",
        Kind.INT,
        "2",
        "Hidden layers; of a CNN: convolution blocks; of a ResNet: blocks of each stage; of a "
        "Transformer: encoder layers.",
        0,
        32,
    ),
    Setting(
        "width",
        Kind.INT,
        "64",
        "Units of each hidden layer; of a CNN: channels of the first block, doubled in each next; "
        "of a ResNet the same of its stages (64 is ResNet-18); of a Transformer: numbers of a "
        "token.",
        1,
        16384,
        family_defaults={RESNET: "16"},
    ),
    Setting(
        "widths",
        Kind.SIZES,
        "",
        "Units of each hidden layer one by one; replaces depth and width.",
        1,
        16384,
        families=(MLP,),
    ),
    Setting(
        "channels",
        Kind.SIZES,
        "",
        "Channels of each block one by one; replaces depth and width. Of a ResNet: of each stage, "
        "which are else four; replaces width.",
        1,
        4096,
        families=(CNN, RESNET),
    ),
    Setting(
        "blocks",
        Kind.SIZES,
        "",
        "Blocks of each stage one by one; replaces depth.",
        1,
        64,
        families=(RESNET,),
    ),
    Setting(
        "stem",
        Kind.WORD,
        "small",
        "What a ResNet starts with: small is a convolution of 3x3, large one of 7x7 and a pooling, "
        "which halve the image twice, as ImageNet's networks do.",
        words=("small", "large"),
        families=(RESNET,),
    ),
    Setting(
        "resize",
        Kind.INT,
        "0",
        "Height and width to which the model brings its images; 0: as they are.",
        0,
        1024,
        families=(RESNET,),
    ),
    Setting(
        "heads",
        Kind.INT,
        "4",
        "Attention heads of each layer; each has width divided by heads, rounded up.",
        1,
        128,
        families=(TRANSFORMER,),
    ),
    Setting(
        "feedforward",
        Kind.DOUBLE,
        "4",
        "Units of each layer's feed-forward part, as a multiple of width.",
        0,
        16,
        excludes_minimum=True,
        families=(TRANSFORMER,),
    ),
    Setting(
        "summary",
        Kind.WORD,
        "mean",
        "What the output is computed from: the mean of all tokens, or a class token of its own.",
        words=("mean", "token"),
        families=(TRANSFORMER,),
    ),
    Setting(
        "architecture",
        Kind.NET,
        "",
        "A net whose layers are each their own, as a search over spec.space.architecture finds it "
        "(docs/search.md says how it is written). Replaces depth, width, widths, channels, "
        "kernel, pooling and heads; also activation, norm and feedforward where it names them.",
        families=(MLP, CNN, TRANSFORMER),
    ),
    Setting(
        "kernel",
        Kind.WORD,
        "3",
        "Side of the convolution kernels.",
        words=("1", "3", "5", "7"),
        families=(CNN,),
    ),
    Setting(
        "pooling",
        Kind.WORD,
        "max",
        "What halves the image after each block, as long as it has two rows and columns.",
        words=("max", "average", "none"),
        families=(CNN,),
    ),
    Setting(
        "shape",
        Kind.SIZES,
        "",
        "Height, width and channels of the image that a row of the data holds, as 28x28x1; for "
        "tables, where the data itself does not say. Each line of the image is a token of a "
        "Transformer; without a shape, each column of the table is one.",
        1,
        16384,
        families=(CNN, RESNET, TRANSFORMER),
        separator="x",
    ),
    Setting(
        "activation", Kind.WORD, "relu", "Function after each hidden layer.", words=ACTIVATIONS
    ),
    Setting("dropout", Kind.DOUBLE, "0", "Share of units dropped in training.", 0, 0.95),
    Setting(
        "norm",
        Kind.WORD,
        "none",
        "Normalisation before each activation; layer over images is one group over all channels.",
        words=NORMS,
        families=(MLP, CNN, RESNET),
        family_defaults={RESNET: "batch"},
    ),
    Setting(
        "optimizer",
        Kind.WORD,
        "adamw",
        "Optimiser; weight decay is decoupled in adamw alone.",
        words=("sgd", "adam", "adamw", "rmsprop"),
    ),
    Setting(
        "learning_rate",
        Kind.DOUBLE,
        "0.003",
        "Highest learning rate of the schedule.",
        0,
        100,
        excludes_minimum=True,
    ),
    Setting("weight_decay", Kind.DOUBLE, "0", "Weight decay of the optimiser.", 0, 10),
    Setting(
        "momentum", Kind.DOUBLE, "0.9", "Momentum of sgd and rmsprop; not used else.", 0, 0.999
    ),
    Setting(
        "schedule",
        Kind.WORD,
        "constant",
        "Course of the learning rate: cosine falls to 0, step divides by 10 after half and after "
        "three quarters of the training, onecycle rises for 30 % and falls to 0.",
        words=("constant", "cosine", "step", "onecycle"),
    ),
    Setting(
        "warmup",
        Kind.DOUBLE,
        "0",
        "Share of the training in which the learning rate rises from 0; onecycle has its own.",
        0,
        0.5,
    ),
    Setting("batch_size", Kind.INT, "64", "Rows of one optimiser step.", 1, 1_000_000),
    Setting("epochs", Kind.INT, "20", "Passes over the training split.", 1, 1_000_000),
    Setting("label_smoothing", Kind.DOUBLE, "0", "Label smoothing; classification only.", 0, 0.9),
    Setting(
        "gradient_clip", Kind.DOUBLE, "0", "Highest norm of the gradient; 0: no limit.", 0, 1e6
    ),
    Setting(
        "keep",
        Kind.WORD,
        "last",
        "Weights that become the artifact: those after the last epoch, or those of the epoch that "
        "was best on the validation split, whose value is then a little too good.",
        words=("last", "best"),
    ),
    Setting(
        "patience",
        Kind.INT,
        "0",
        "Training ends once the objective on the validation split has not got better for so many "
        "epochs; 0: never.",
        0,
        1_000_000,
    ),
    Setting(
        "divergence",
        Kind.DOUBLE,
        "0",
        "The trial is stopped once the mean training loss of an epoch is more than so many times the "
        "lowest before; 0: never. A loss that is no number fails the trial in any case.",
        0,
        1e9,
    ),
)
"""Every setting, those that shape the model first."""

"""What an argument is for, read off its name and the subject's: the words that people use; it knows no shapes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Role(Enum):
    """What an argument is for."""

    INPUT = auto()
    STATE = auto()  # of a recurrent cell
    SEQUENCE = auto()
    TARGET = auto()
    INDEX = auto()
    MASK = auto()
    WEIGHT = auto()
    RECURRENT = auto()  # the weights from a state to itself
    BIAS = auto()
    SCALE = auto()  # gamma and beta of a norm
    SIZE = auto()
    KERNEL = auto()
    STRIDE = auto()
    PAD = auto()
    SHAPE = auto()
    SIZE_LIST = auto()
    GROUPS = auto()
    RATE = auto()  # a probability
    SCALAR = auto()
    PENALTY = auto()  # the strength of a term of the loss that a layer's forward does not return
    FLAG = auto()
    MODE = auto()
    ACTIVATION = auto()
    PARAM_DICT = auto()
    CORPUS = auto()
    LAYER = auto()
    LAYERS = auto()
    FUNCTION = auto()  # and its derivative: exp stands for both
    UNKNOWN = auto()


WEIGHTS = frozenset({Role.WEIGHT, Role.RECURRENT, Role.BIAS, Role.SCALE})
# Patterns separated by blanks. The first that matches the whole name, in small letters, without digits and underscores
# at its end, decides.
_ROLES: Mapping[Role, str] = {
    Role.LAYERS: r"layers modules blocks sublayers",
    Role.LAYER: r"(wrapped_)?(layer|module|block) inner (act|activation)_?layer",
    Role.FUNCTION: r"""
        (f|fn|fun|func|function|act(ivation)?(_?f(n|un|unc|unction))?)_?(prime|deriv|derivative|grad|gradient|d)
        d_?(f|fn|fun|func|act|activation) f fn fun func function
    """,
    Role.PARAM_DICT: r"(\w+_)?(params?|config|cfg|opts?|options|hparams|settings|kwargs)",
    Role.ACTIVATION: r"""
        (\w+_)?(act|activation|nonlinearity|act_fn|gate_fn|activation_f(n|unc|unction)|act_func)(_str|_name)?
    """,
    Role.STRIDE: r"(\w+_)?strides?(_?[hw]|_shape|_size)? step",
    Role.KERNEL: r"""
        (\w+_)?(kernels?|ksize|filter|pool|pooling|window|kernel|k)_?(size|height|width|shape|h|w|len|length|dim)
        ksize pool [kf][hw] [hw][hw]_f pool_?[hw] filter_?[hw] kernel
    """,
    Role.SHAPE: r"(\w+_)?(shape|dims|size_tuple)(_\w+)? (image|img|input|in)_(dims?_tuple)",
    Role.SIZE_LIST: r"""
        (hidden_|layer_)?(sizes|layers_dims|layer_dims|hidden_dims|units_list) \w+_(size|dim)s?_list \w+_sizes
    """,
    Role.PAD: r"(\w+_)?(pad|padding|pads|dilation)(_?[hw])?",
    Role.GROUPS: r"(\w+_)?(groups?|heads)(_?(num|count))? g_num n_?heads? num_?heads?",
    Role.FLAG: r"""
        (is_|use_|with_|no_|in_)?(train|training|train_flg|trainflg|train_flag|is_train|istrain|istraining|test|eval|trainable|flag)(_mode|_flg|_flag)?
        bidirectional stateful return_sequences affine verbose debug use_\w+ is_\w+
    """,
    Role.MODE: r"(\w+_)?(mode|phase|reduction|init|initializer|initialization|merge|type|method)",
    Role.RATE: r"""
        (keep_|drop_|dropout_|dropout)?(p|prob|probability|ratio|rate|dropout|ration) keep (\w+_)?(prob|ratio)
        (dropout|drop|keep)\w*
    """,
    Role.PENALTY: r"""
        l[12] l[12]_\w+ \w+_l[12] reg(_(strength|lambda|param|rate|coeff?))? regularization(_\w+)? weight_?decay(_\w+)?
        decay lambda\w* lam lambd \w+_lambda
    """,
    Role.SCALAR: r"""
        lr learning_rate eps epsilon momentum alpha lambda lam lambd reg decay
        (\w+_)?(decay|rate|scale|std|eps|epsilon|slope|momentum|lambda|reg|power|temperature|margin|strength|gain) tau
        temperature delta slope power c_const margin negative_slope weight_init_std beta_one beta_two
    """,
    Role.CORPUS: r"corpus word_?counts",
    Role.MASK: r"(\w+_)?masks?",
    Role.INDEX: r"(\w+_)?(idx|index|indices|indexes|ids|tokens?|words?|contexts?|positions?|word_ids?)",
    Role.TARGET: r"""
        t ts (\w+_)?(labels?|targets?|true|gt|truth|actual|expected|answers?|gold) y_?true t_?batch
        (targets?|actual|labels?|gt|true|t)_\w+ onehot one_hot ground_truth teacher
    """,
    Role.SEQUENCE: r"""
        xs hs (\w+_)?seq(uence)?s? hs_(enc|dec) enc_hs dec_hs encoder_hs (enc|dec)(oder)?_(outputs?|states?)
        enc_hidden queries keys values query key value [qkv]
    """,
    Role.STATE: r"""
        (h|c|s|a|hidden|cell|state)_?(prev|previous|old|last|init|next|t|tm)
        (prev|previous|init|initial|last)_?(h|c|s|hidden|cell|state) (hidden|cell)_?state state hx cx h_?in c_?in
        h_?zero [hcs]_?0
    """,
    Role.SIZE: r"""
        (n|num|in|out|input|output|hidden|vocab|embed|embedding|model|feature|latent|d|nb|no|number)_\w+
        \w+_(size|dim|dims|units|features|channels|ch|len|length|num|n|neurons|nodes|filters|classes) d_?model
        units neurons nodes filters n(in|out|_in|_out) d(in|out) (in|out)(put)?
        (in|out)(put)?(s|dim|size|features|channels|ch) channels classes size dim width height depth features
        hidden [nkdchtvmfo]_?(in|out)? fan_?(in|out) vocab embed max_?len seq_?len hiddensize inputsize outputsize
        n(inputs|outputs|hidden|features|classes|filters|neurons)
    """,
    Role.RECURRENT: r"""
        (w|u)_?(h|hh|hr|hz|rec|recurrent|hy|aa) whh?t? recurrent_(kernel|weights?) weight_hh w_?hidden
    """,
    Role.BIAS: r"b bs bias biases b_?[a-z]{1,3} bias_\w+ \w+_(b|bias) beta_v offset intercept",
    Role.SCALE: r"gamma beta shift g gammas betas running_(mean|var) mean var",
    Role.WEIGHT: r"""
        w ws weights? w_?[a-z]{1,4} weight_\w+ \w+_(w|weights?) theta u v embedding embeddings embed filters?
        kernels? matrix emb
    """,
    Role.INPUT: r"""
        (\w+_)?(inputs?|data|inp|in|img|imgs|images?|tensor|signal|features|batch|pred|preds|predictions?|predicted|logits|scores?|probs|hat|out|outputs?|activations?|values?)
        [xzayhqks] x_\w+ [a-z]?x out\w* y_?(pred|hat|p) feature_?maps? prediction\w*
    """,
}
_COMPILED = {role: re.compile("|".join(patterns.split())) for role, patterns in _ROLES.items()}
# A constructor is handed no inputs, and a forward no sizes: there the same letters mean something else.
_NEVER_BUILT = frozenset({Role.INPUT, Role.SEQUENCE, Role.STATE, Role.TARGET, Role.INDEX, Role.MASK})
_NEVER_FED = frozenset(
    {Role.SIZE, Role.SIZE_LIST, Role.LAYER, Role.LAYERS, Role.CORPUS, Role.KERNEL, Role.SHAPE, Role.PENALTY}
)
_FIRST_STATES = frozenset({"h0", "c0", "s0", "a0", "h_0", "c_0"})
_LONE = {"h": Role.INPUT, "c": Role.INPUT, "s": Role.INPUT, "g": Role.GROUPS, "p": Role.RATE, "t": Role.TARGET}


def role_of(name: str, *, constructor: bool) -> Role:
    """What an argument of this name is for, in a constructor or in a forward."""
    lowered = name.lower().strip("_")
    stem = lowered.rstrip("0123456789").rstrip("_") or lowered
    is_first_state = lowered in _FIRST_STATES or stem in ("h_prev", "prev_h")
    if is_first_state and not constructor:
        return Role.STATE
    if name == "G":
        return Role.GROUPS
    if constructor:
        return Role.PENALTY if _COMPILED[Role.PENALTY].fullmatch(lowered) else _matched(stem, _NEVER_BUILT)
    return _LONE.get(stem) or _matched(stem, _NEVER_FED)


def _matched(stem: str, excluded: Collection[Role]) -> Role:
    """The first role whose pattern knows the name, without those that are excluded."""
    for role, pattern in _COMPILED.items():
        if role not in excluded and pattern.fullmatch(stem):
            return role
    return Role.UNKNOWN


@dataclass(frozen=True)
class Setting:
    """What the subject's own name says of all its arguments."""

    loss: bool = False
    classes: bool = False  # a loss over classes: its targets are labels
    binary: bool = False
    image: bool = False
    pooling: bool = False
    sequence: bool = False
    lookup: bool = False  # an embedding: its input is indices


_BINARY = "bce binary sigmoidwithloss sigmoidloss logistic sigmoidcross"
_CLASSES = "softmaxwith softmaxloss softmaxcross softmaxce crossentropy nll svm hinge multiclass entropyloss"
_LOSS = "loss likelihood error mse mae rmse cost criterion huber divergence objective entropy"


def setting_of(name: str) -> Setting:
    """Read the name of a class, or of a forward function."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    flat = words.replace("_", "")

    def tells(pattern: str) -> bool:
        return re.search("|".join(pattern.split()), flat) is not None

    binary, step = tells(_BINARY), tells("cell step")
    classes = not binary and tells(_CLASSES)
    return Setting(
        loss=classes or binary or tells(_LOSS),
        classes=classes,
        binary=binary,
        image=tells("conv(?!1d) pool(?!1d) 2d image im2col spatial upsampl lrn pixel cnn filter"),
        pooling="pool" in flat,
        sequence=not step and tells("time temporal seq lm$"),
        lookup=tells("embed lookup") and "dot" not in flat,
    )

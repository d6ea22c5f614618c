"""The conventions by which authors name parameters, gradients and what holds them: one row each, with an example.

A convention that is not known yet is a new row here, and its example is its test. It knows names only.
"""

from __future__ import annotations

from typing import NamedTuple


class Naming(NamedTuple):
    """One convention. ``written``: a name, or a pattern of names, without underscores and whatever the case.

    parameter, gradient: an example, as the two places are written after ``self.``.
    """

    written: str
    parameter: str
    gradient: str


# What a gradient is called; (.+) is the parameter. A name that could be read in two ways is read by the earlier row.
GRADIENT_OF = (
    Naming("grad(.+)", "W", "grad_W"),
    Naming("d(.+)", "W", "dW"),
    Naming("d(?:l|loss|j|cost|c|e|err|error|out|y)d(.+)", "W", "dL_dW"),
    Naming("gradient(.+)", "W", "gradient_W"),
    Naming("grads(.+)", "W", "grads_W"),
    Naming("gradients(.+)", "W", "gradients_W"),
    Naming("grad(?:of|for|wrt|wrtto)(.+)", "W", "grad_wrt_W"),
    Naming("gradient(?:of|for|wrt)(.+)", "W", "gradient_of_W"),
    Naming("nabla(.+)", "weights[0]", "nabla_w[0]"),
    Naming("partial(.+)", "W", "partial_W"),
    Naming("delta(.+)", "weights", "delta_weights"),
    Naming("(?:loss|cost|error)grad(?:ient)?(.+)", "W", "loss_grad_W"),
    Naming("(.+?)grad", "W", "W_grad"),
    Naming("(.+?)grads", "W", "W_grads"),
    Naming("(.+?)gradient", "W", "W_gradient"),
    Naming("(.+?)gradients", "weights", "weights_gradients"),
    Naming("(.+?)deriv", "W", "W_deriv"),
    Naming("(.+?)derivative", "W", "W_derivative"),
    Naming("(.+?)diff", "W", "W_diff"),
    Naming("(.+?)delta", "weights", "weights_delta"),
)

# Names that may as well be those of something else: read so only where no row above fits, and where backward writes it.
PERHAPS_GRADIENT_OF = (
    Naming("g(.+)", "W", "gW"),
    Naming("(.+?)g", "W", "W_g"),
    Naming("(.+?)bar", "W", "W_bar"),
    Naming("err(?:or)?(.+)", "W", "err_W"),
    Naming("(.+?)err(?:or)?", "weights", "weights_error"),
    Naming("update(.+)", "W", "update_W"),
)
# Words before or after the name of a gradient that say when, or of how many, and not of what. Never those of a
# gradient before: prev, old.
QUALIFIERS = (
    Naming("current", "_W", "_grad_W_current"),
    Naming("curr", "W", "dW_curr"),
    Naming("cur", "W", "cur_dW"),
    Naming("new", "W", "new_dW"),
    Naming("last", "W", "last_dW"),
    Naming("latest", "W", "latest_dW"),
    Naming("batch", "W", "batch_dW"),
    Naming("total", "W", "dW_total"),
    Naming("sum", "W", "sum_dW"),
    Naming("acc", "W", "dW_acc"),
    Naming("accum", "W", "dW_accum"),
    Naming("accumulated", "W", "accumulated_dW"),
    Naming("tmp", "W", "dW_tmp"),
    Naming("temp", "W", "temp_dW"),
    Naming("local", "W", "local_dW"),
    Naming("cache", "W", "dW_cache"),
    Naming("cached", "W", "cached_dW"),
    Naming("stored", "W", "stored_dW"),
)

# Names that say "a parameter" without saying which: the rest of the path says it.
PARAMETER = (
    Naming("params", "params['W']", "grads['W']"),
    Naming("param", "weight.param", "weight.grad"),
    Naming("parameters", "parameters['W']", "gradients['dW']"),
    Naming("parameter", "parameter['W']", "gradient['W']"),
    Naming("value", "W.value", "W.gradient"),
    Naming("val", "W['val']", "W['grad']"),
    Naming("values", "values['W']", "grads['W']"),
    Naming("data", "weight.data", "weight.grad"),
    Naming("array", "weight.array", "weight.grad"),
    Naming("arr", "weight.arr", "weight.grad"),
    Naming("tensor", "weight.tensor", "weight.grad"),
    Naming("theta", "theta['W']", "dtheta['W']"),
    Naming("getparams()", "get_params()[0]", "get_grads()[0]"),
    Naming("getparameters()", "get_parameters()[0]", "get_gradients()[0]"),
    Naming("getweights()", "get_weights()['W']", "get_gradients()['W']"),
    Naming("parameters()", "parameters()[0]", "gradients()[0]"),
    Naming("params()", "params()[0]", "grads()[0]"),
)
# Names that say so where a key follows, and are a parameter themselves where none does.
HOLDS_PARAMETERS = (
    Naming("weights", "weights['W']", "gradients['W']"),
    Naming("state", "state['weight']", "grads['weight']"),
    Naming("states", "states['weight']", "grads['weight']"),
    Naming("statedict", "state_dict['W']", "grad_dict['W']"),
    Naming("paramsdict", "params_dict['W']", "grads_dict['W']"),
    Naming("paramdict", "param_dict['W']", "grad_dict['W']"),
    Naming("model", "model['W1']", "grads['W1']"),
    Naming("vars", "vars['W']", "grads['W']"),
    Naming("variables", "variables['W']", "d_variables['W']"),
    Naming("trainable", "trainable['W']", "grads['W']"),
    Naming("learnable", "learnable['W']", "grads['W']"),
)
# Names that say "a gradient" without saying of what.
GRADIENT = (
    Naming("grads", "params[0]", "grads[0]"),
    Naming("grad", "weight.value", "weight.grad"),
    Naming("gradients", "parameters['W']", "gradients['W']"),
    Naming("gradient", "weight.value", "weight.gradient"),
    Naming("derivative", "weight.value", "weight.derivative"),
    Naming("derivatives", "params['W']", "derivatives['W']"),
    Naming("diff", "weight.data", "weight.diff"),
    Naming("delta", "weight.value", "weight.delta"),
    Naming("deltas", "params['W']", "deltas['W']"),
    Naming("graddict", "params['W']", "grad_dict['W']"),
    Naming("gradsdict", "params['W']", "grads_dict['W']"),
    Naming("getgrads()", "get_params()[0]", "get_grads()[0]"),
    Naming("getgradients()", "get_params()['W']", "get_gradients()['W']"),
    Naming("gradients()", "parameters()[0]", "gradients()[0]"),
    Naming("grads()", "params()[0]", "grads()[0]"),
)
# Methods that hand out pairs of a parameter and its gradient.
PAIRS = (
    Naming("paramsandgrads()", "params_and_grads()[0][0]", "params_and_grads()[0][1]"),
    Naming("getparamsandgrads()", "get_params_and_grads()[0][0]", "get_params_and_grads()[0][1]"),
    Naming("getparamsgrads()", "get_params_grads()[0][0]", "get_params_grads()[0][1]"),
    Naming("parametersandgradients()", "parameters_and_gradients()[0][0]", "parameters_and_gradients()[0][1]"),
    Naming("parameters()", "parameters()[0][0]", "parameters()[0][1]"),
    Naming("params()", "params()[0][0]", "params()[0][1]"),
    Naming("getparams()", "get_params()[0][0]", "get_params()[0][1]"),
)


ALL = (
    *(*GRADIENT_OF, *PERHAPS_GRADIENT_OF, *QUALIFIERS),
    *(*PARAMETER, *HOLDS_PARAMETERS, *GRADIENT, *PAIRS),
)


def names(rows: tuple[Naming, ...]) -> frozenset[str]:
    """The names of rows that are no patterns."""
    return frozenset(row.written for row in rows)


def methods() -> tuple[str, ...]:
    """The methods, as they are written, that hand out parameters or gradients."""
    written = [place.partition("(")[0] for row in ALL for place in row[1:] if "()" in place]
    return tuple(dict.fromkeys(written))

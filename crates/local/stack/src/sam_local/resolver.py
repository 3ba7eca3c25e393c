"""Prints the environment variables of all functions as `sam local invoke` would set them: a line of JSON.

Arguments: the template, and optionally the file for --env-vars.
"""
import json
import sys

from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, *env_file = sys.argv[1:]
values = {}
if env_file:
    with open(env_file[0], encoding="utf-8") as file:
        values = json.load(file)
stacks, _ = SamLocalStackProvider.get_stacks(template)
runner = LocalLambdaRunner(
    local_runtime=None,
    function_provider=SamFunctionProvider(stacks),
    cwd=".",
    real_path=template,
    env_vars_values=values,
)
functions = SamFunctionProvider(stacks).get_all()
print(json.dumps({function.function_id: runner._make_env_vars(function).resolve() for function in functions}))

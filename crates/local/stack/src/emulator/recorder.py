"""Runs MiniStack and records which role was allowed which action on which resource: a line of JSON for each, once.

The records come from IAM's evaluation of identity policies, for calls and for SimulatePrincipalPolicy, which the mobile
push emulator uses. Resource policies are not recorded.

Repairs IAM for PartiQL. As on AWS, each statement needs the action that it performs on its table; MiniStack checks the
name of the call, on no table.
"""
import json
import re
import runpy
import sys
import threading

from ministack.core import iam_actions, iam_evaluator

FILE = open(sys.argv[1], "a", encoding="utf-8")
CALLERS = {"enforce", "_build_simulate_results_real"}
LOCK = threading.Lock()
RECORDED = set()
PARTIQL = re.compile(r'\s*(SELECT|INSERT|UPDATE|DELETE)\b(?:.*?\b(?:FROM|INTO)\b)?\s*"([^"]+)"', re.IGNORECASE)
evaluate = iam_evaluator.evaluate
transaction_checks = iam_actions.dynamodb_transaction_checks


def statement_checks(iam_action, body, region, account_id):
    if iam_action not in ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement"):
        return transaction_checks(iam_action, body, region, account_id)
    request = json.loads(body)
    matches = [PARTIQL.match(one.get("Statement", "")) for one in request.get("Statements", [request])]
    if not all(matches):
        # The call is checked by its name, which no role may use.
        return []
    table = f"arn:aws:dynamodb:{region}:{account_id}:table/"
    return sorted({(f"dynamodb:PartiQL{match[1].capitalize()}", table + match[2]) for match in matches})


def evaluate_and_record(context, *arguments):
    result = evaluate(context, *arguments)
    if result.decision == "Allow" and sys._getframe(1).f_code.co_name in CALLERS:
        use = (context.principal_arn, context.action, context.resource_arn)
        with LOCK:
            if use not in RECORDED:
                RECORDED.add(use)
                FILE.write(json.dumps(dict(zip(("principal", "action", "resource"), use))) + "\n")
                FILE.flush()
    return result


iam_evaluator.evaluate = evaluate_and_record
iam_actions.dynamodb_transaction_checks = statement_checks
sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__")

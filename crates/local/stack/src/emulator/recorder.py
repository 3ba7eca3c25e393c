"""Runs MiniStack and records which role was allowed which action on which resource: a line of JSON for each, once.

The records come from IAM's evaluation of identity policies, for calls and for SimulatePrincipalPolicy, which the mobile
push emulator uses. Resource policies are not recorded.
"""
import json
import runpy
import sys
import threading

from ministack.core import iam_evaluator

FILE = open(sys.argv[1], "a", encoding="utf-8")
CALLERS = {"enforce", "_build_simulate_results_real"}
LOCK = threading.Lock()
RECORDED = set()
evaluate = iam_evaluator.evaluate


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
sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__")

"""Runs ministack, and writes down which role was allowed which action on which resource: a line of JSON for each, once.

What is written is what IAM's own evaluation says, where a call is let through, and where our stand-in for phones asks
in the name of a caller (SimulatePrincipalPolicy). Policies of resources do not count.
"""
import json
import runpy
import sys
import threading

from ministack.core import iam_evaluator

FILE = open(sys.argv[1], "a", encoding="utf-8")
ASKS = {"enforce", "_build_simulate_results_real"}
LOCK = threading.Lock()
KNOWN = set()
evaluate = iam_evaluator.evaluate


def recorded(context, *arguments):
    result = evaluate(context, *arguments)
    if result.decision == "Allow" and sys._getframe(1).f_code.co_name in ASKS:
        use = (context.principal_arn, context.action, context.resource_arn)
        with LOCK:
            if use not in KNOWN:
                KNOWN.add(use)
                FILE.write(json.dumps(dict(zip(("principal", "action", "resource"), use))) + "\n")
                FILE.flush()
    return result


iam_evaluator.evaluate = recorded
sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__")

"""Prints template.yaml as JSON after the transform of SAM, as CloudFormation runs it. Arguments: the template, NAME=VALUE."""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-2")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
# `sam package` replaces the folder by a package.
template["Globals"]["Function"]["CodeUri"] = "s3://packages/package"
parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
json.dump(Translator({}, Parser()).translate(template, parameters), sys.stdout)

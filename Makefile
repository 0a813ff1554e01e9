# The project's commands; `make` alone lists them. Everything they make stands in .cache and matrix-reports.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help env demo check test bench lockouts lived-in components accounts registration sabotage sanity fuzz vectors lab-up lab-down clean

PYTHON ?= $(shell tests/find-python)
LAB_NAME ?= homestead
RELEASE ?= 13
LAB := tests/lab/lab
venv := .cache/venv
link := .cache/collections/ansible_collections/homestead/matrix
requirements := requirements.txt tests/requirements.txt

export PATH := $(CURDIR)/$(venv)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/.cache/collections
export MYPYPATH := $(PYTHONPATH)
export ANSIBLE_CONFIG := $(CURDIR)/tests/lab/ansible.cfg
export LC_ALL := C.UTF-8

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

env: $(venv)/ready $(link) ## make the environment of all other commands
	@tests/make-programs

$(venv)/ready: $(requirements)
	@tests/make-venv $(venv) "$(PYTHON)" tests/requirements.txt
	@touch $@

$(link):
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR) $@

demo: env lab-up ## provision a server in the lab, look at it from outside, show the report
	ansible-playbook --inventory .cache/lab/$(LAB_NAME)/inventory homestead.matrix.site
	@echo "The report: $(CURDIR)/matrix-reports; the server stays until \`make lab-down\`."

check: env ## lint, unit tests and rendered files, in less than three minutes
	@python tests/stages.py check

test: env ## everything: check, sanity, the built collection, Molecule, whole servers
	@python tests/stages.py test

bench: env ## measure what a user waits for, and print medians
	@python tests/bench.py

lockouts: env ## every attempt to lock the controller out, on every firewall and release
	@python tests/stages.py lockouts

lived-in: env ## hosts that had a life before: another Synapse, its databases, certificates, tunnels
	@python tests/stages.py lived-in

components: env ## twenty components more or less, as chance wants it, and killed runs (SEED=, CHANGES=)
	@python tests/stages.py components

accounts: env ## hundreds of accounts in one task, also killed in the middle (ACCOUNTS=)
	@python tests/stages.py accounts

registration: env ## from every registration mode to every other, with strangers who want an account
	@python tests/stages.py registration

sabotage: env ## break a healthy server in every way that the verifier must name
	@python tests/stages.py sabotage

sanity: env ## pylint of ansible-test on the tests too
	@python tests/stages.py sanity

fuzz: env ## throw odd input at everything that reads answers of strangers
	@pytest --numprocesses=2 --hypothesis-profile=long tests/fuzz

vectors: env ## judge test vectors (RESOLUTION=file SUPPORT=file)
	@python tests/vectors.py --resolution "$(RESOLUTION)" --support "$(SUPPORT)"

lab-up: ## start the lab (LAB_NAME=homestead, RELEASE=13)
	@$(LAB) up --name $(LAB_NAME) --release $(RELEASE)

lab-down: ## remove the lab and an engine that it started
	@$(LAB) down --name $(LAB_NAME) --engine

clean: ## remove everything the commands made, but not the lab's images
	@if [ -d .cache/lab/$(LAB_NAME) ]; then $(LAB) down --name $(LAB_NAME); fi
	rm -rf .cache .ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis matrix-reports homestead-matrix-*.tar.gz

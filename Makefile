# Thin: each target is a script in tools/.
.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos lint format bench year stop clean distclean

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Get what is missing: Odoo 19, Python packages, PostgreSQL, a browser
	@tools/setup

demo: ## Show the addon at work in a shop (DEMO_SERVE=0: end by itself)
	@tools/demo

test: ## Linters and all tests, on fresh databases
	@tools/test

chaos: ## Kill workers and fail servers while thousands of messages are sent
	@tools/chaos

lint: ## Linters only
	@tools/lint

format: ## Format Python, XML, JavaScript and style sheets
	@tools/format

bench: ## Measure speed on large data
	@tools/bench

year: ## Simulate a year of a shop and check every day (half an hour)
	@tools/year

stop: ## Stop the private PostgreSQL server
	@tools/clean stop

clean: ## Drop this checkout's databases, files and logs
	@tools/clean checkout

distclean: ## Remove all that was ever set up, for every checkout
	@tools/clean everything

package main

import "github.com/spf13/cobra"

func (p *program) evalCommand() *cobra.Command { return &cobra.Command{Use: "eval", Hidden: true} }

// judge says what GitOps tools see in an object: kstatus (Flux, helm --wait), Flux's health check
// expressions in CEL, and Argo CD's health checks in Lua, each by the library that the tool itself uses.
//
//	judge <requests >answers      a JSON document per line, both ways
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/cel-go/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// request asks about one object; empty fields ask nothing.
type request struct {
	Object unstructured.Unstructured `json:"object"`
	CEL    []expression              `json:"cel"`
	Lua    string                    `json:"lua"`
}

// expression is true if the object's state is the one that it names.
type expression struct {
	State string `json:"state"`
	Text  string `json:"text"`
}

// answer holds what each tool says; Error names the part that failed.
type answer struct {
	Kstatus string         `json:"kstatus"`
	CEL     string         `json:"cel"`
	Lua     map[string]any `json:"lua"`
	Error   string         `json:"error"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		said, err := judge(lines.Bytes())
		if err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
}

func judge(line []byte) (answer, error) {
	var asked request
	var said answer
	if err := json.Unmarshal(line, &asked); err != nil {
		return said, err
	}
	result, err := status.Compute(&asked.Object)
	if err != nil {
		return said, fmt.Errorf("kstatus: %w", err)
	}
	said.Kstatus = result.Status.String()
	if said.CEL, err = evaluate(asked.CEL, asked.Object.Object); err != nil {
		return said, fmt.Errorf("CEL: %w", err)
	}
	if asked.Lua != "" {
		if said.Lua, err = health(asked.Lua, asked.Object.Object); err != nil {
			return said, fmt.Errorf("Lua: %w", err)
		}
	}
	return said, nil
}

// evaluate gives the state of the first expression that is true, in their order, as Flux does; an
// object's fields are its variables.
func evaluate(expressions []expression, object map[string]any) (string, error) {
	options := []cel.EnvOption{}
	for _, field := range []string{"apiVersion", "kind", "metadata", "spec", "status"} {
		options = append(options, cel.Variable(field, cel.DynType))
	}
	environment, err := cel.NewEnv(options...)
	if err != nil {
		return "", err
	}
	for _, asked := range expressions {
		ast, issues := environment.Compile(asked.Text)
		if issues.Err() != nil {
			return "", fmt.Errorf("%s: %w", asked.State, issues.Err())
		}
		program, err := environment.Program(ast)
		if err != nil {
			return "", err
		}
		value, _, err := program.Eval(object)
		if err != nil {
			return "", fmt.Errorf("%s: %w", asked.State, err)
		}
		truth, ok := value.Value().(bool)
		if !ok {
			return "", fmt.Errorf("%s: %v is no truth value", asked.State, value)
		}
		if truth {
			return asked.State, nil
		}
	}
	return "", nil
}

// health runs a script as Argo CD does: with `obj`, and without the libraries that reach the machine.
func health(script string, object map[string]any) (map[string]any, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString, lua.MathLibName: lua.OpenMath,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return nil, fmt.Errorf("the script gives %s and no table", state.Get(-1).Type())
	}
	said := map[string]any{}
	table.ForEach(func(key, value lua.LValue) { said[key.String()] = value.String() })
	return said, nil
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch given := value.(type) {
	case nil:
		return lua.LNil
	case bool:
		return lua.LBool(given)
	case int64:
		return lua.LNumber(given)
	case float64:
		return lua.LNumber(given)
	case string:
		return lua.LString(given)
	case []any:
		table := state.NewTable()
		for _, item := range given {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range given {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	panic(fmt.Sprintf("%T cannot stand in JSON", value))
}

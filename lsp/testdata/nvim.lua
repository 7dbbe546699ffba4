-- Asks the language server for hints, lenses, hover, code actions and links from
-- Neovim (0.7 or later), runs the commands of a lens and an action, with an edit
-- in between, and prints what came as JSON, an object a
-- line. Run by TestNeovim: nvim --headless --clean -l is newer than 0.7, so
-- this is sourced with -c 'luafile'.
--
-- Environment: RESTEP (the binary), FILE (a Go file of a module with a recorded
-- run), OUT (where the answers go), CACHE (that of builds; Neovim has one of its
-- own).

local file = vim.env.FILE
local out = assert(io.open(vim.env.OUT, 'w'))

local function say(what, value)
  out:write(vim.fn.json_encode({ what = what, value = value }), '\n')
end

local function run()
  vim.cmd('edit ' .. vim.fn.fnameescape(file))
  vim.bo.filetype = 'go'
  local exited
  local id = vim.lsp.start_client({
    cmd = { vim.env.RESTEP, 'lsp' },
    cmd_env = { XDG_CACHE_HOME = vim.env.CACHE },
    root_dir = vim.fn.fnamemodify(file, ':h'),
    on_exit = function(code) exited = code end,
  })
  assert(vim.lsp.buf_attach_client(0, id))
  assert(vim.wait(10000, function() return vim.lsp.get_client_by_id(id).initialized end, 10), 'not initialized')

  local function ask(method, params)
    local answers, err = vim.lsp.buf_request_sync(0, method, params, 200000)
    assert(answers, err)
    assert(not answers[id].error, vim.inspect(answers[id].error))
    return answers[id].result
  end

  local document = vim.lsp.util.make_text_document_params(0)
  local function hints()
    local list = {}
    local all = { start = { line = 0, character = 0 }, ['end'] = { line = 100000, character = 0 } }
    for _, h in ipairs(ask('textDocument/inlayHint', { textDocument = document, range = all })) do
      table.insert(list, h.position.line + 1 .. ' ' .. h.label[1].value)
    end
    return list
  end

  say('hints', hints())
  local lenses = {}
  for _, l in ipairs(ask('textDocument/codeLens', { textDocument = document })) do
    table.insert(lenses, l.range.start.line + 1 .. ' ' .. l.command.title)
  end
  say('lenses', lenses)

  local line = vim.fn.search('got a request')
  local position = { line = line - 1, character = 2 }
  say('hover', ask('textDocument/hover', { textDocument = document, position = position }).contents.value)

  -- Commands of lenses and actions are the server's.
  local function execute(command)
    return ask('workspace/executeCommand', { command = command.command, arguments = command.arguments })
  end
  local at = { start = position, ['end'] = position }
  local actions = ask('textDocument/codeAction', { textDocument = document, range = at, context = { diagnostics = {} } })
  local titles = {}
  for _, a in ipairs(actions) do
    table.insert(titles, a.title)
    if vim.startswith(a.title, 'Copy link') then
      say('link', execute(type(a.command) == 'table' and a.command or a))
    elseif vim.startswith(a.title, 'Show next hit') then
      say('next', execute(type(a.command) == 'table' and a.command or a))
    end
  end
  say('actions', titles)
  for _, l in ipairs(ask('textDocument/codeLens', { textDocument = document })) do
    if l.command.title == '▶' and l.range.start.line == line - 1 then
      say('lens', execute(l.command))
    elseif l.command.title == 'run seed 1' then
      say('run', execute(l.command))
    end
  end
  say('after', hints())

  -- Neovim sends the edit as it was made: incremental sync.
  vim.api.nvim_buf_set_lines(0, 0, 0, false, { '// a new line', '// with ä€😀' })
  say('moved', hints())

  vim.lsp.stop_client(id)
  assert(vim.wait(10000, function() return exited ~= nil end, 10), 'the server does not end')
  say('exit', exited)
end

local ok, err = pcall(run)
if not ok then say('error', tostring(err)) end
out:close()
vim.cmd(ok and 'qall!' or 'cquit!')

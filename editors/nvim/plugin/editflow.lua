-- The commands and highlight groups of EditFlow; everything else is loaded when one of them is first used.
if vim.g.loaded_editflow then
  return
end
vim.g.loaded_editflow = 1

vim.cmd([[
  highlight default link EditFlowOld DiffDelete
  highlight default EditFlowStruck cterm=strikethrough gui=strikethrough
  highlight default link EditFlowNew DiffAdd
  highlight default link EditFlowDraft DiffChange
]])

local function command(name, call, options)
  vim.api.nvim_create_user_command('EditFlow' .. name, call, options or {})
end

local scopes = { 'function', 'file' }
command('', function(args)
  require('editflow.job').fix_lines(args.range > 0 and { args.line1, args.line2 } or nil, args.args)
end, { range = true, nargs = '?', complete = function() return scopes end })
command('Cancel', function() require('editflow.job').cancel() end)
command('Suspicion', function(args) require('editflow.job').suspicion(not args.bang) end, { bang = true })
command('Accept', function(args) require('editflow.review').accept(args.bang) end, { bang = true })
command('Reject', function(args) require('editflow.review').reject(args.bang) end, { bang = true })
command('Next', function() require('editflow.review').jump(1) end)
command('Prev', function() require('editflow.review').jump(-1) end)
